import type { Served } from './messages.js';

/**
 * What a replica serves, of what its HTTP processes serve each: a model only where all of them do, and of several generations the oldest. So a release
 * is told to be served once every request is answered by it.
 */
export function servedByAll(processes: readonly (readonly Served[])[]): Served[] {
  const [first = [], ...others] = processes;
  return first.flatMap((served) => {
    const same = others.map((process) => process.find(({ model }) => model === served.model));
    if (same.some((one) => one === undefined)) return [];
    return [same.reduce<Served>((oldest, one) => (one && one.generation < oldest.generation ? one : oldest), served)];
  });
}
