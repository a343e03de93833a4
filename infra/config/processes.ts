/** Below this many cores one HTTP process, its runner and PostgreSQL keep all of them busy: a second one only adds switching (measured on 2). */
const FEW_CORES = 4;
/** More than these would wait for the runner. */
const MOST = 8;

/** HTTP processes of a prediction server, unless told: half of the cores, the others compute. */
export function processesFor(cores: number): number {
  return cores < FEW_CORES ? 1 : Math.min(MOST, Math.floor(cores / 2));
}
