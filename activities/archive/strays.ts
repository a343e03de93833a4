import type { ActivityDeps } from '../deps.js';
import type { Ref } from '../../contract/ref.js';
import type { ByDay } from '../../stores/prediction-partitions.js';

/** A file's key: what follows the bucket. */
const keyOf = ({ uri }: Pick<Ref, 'uri'>) => new URL(uri).pathname.slice(1);
const prefixOf = (log: ByDay) => `predictions/${log}/`;

/** Removes objects of a day that are not its file: the file before, or what a run that died had written and not noted. */
export async function removeStraysOf({ stores, artifacts }: Pick<ActivityDeps, 'stores' | 'artifacts'>, log: ByDay, day: string): Promise<void> {
  await stores.predictionArchives.holdingDay(log, day, async (held) => {
    const noted = await held.get();
    await artifacts.delete((await artifacts.list(`${prefixOf(log)}${day}/`)).filter((key) => noted === null || key !== keyOf(noted.file)));
  });
}

/** The same of every day, in one listing: what a run left that died between noting a file and removing the one before. */
export async function removeStrays(deps: Pick<ActivityDeps, 'stores' | 'artifacts'>, log: ByDay, signal: AbortSignal): Promise<void> {
  const keys = await deps.artifacts.list(prefixOf(log));
  const noted = new Set((await deps.stores.predictionArchives.list(log)).map(({ file }) => keyOf(file)));
  const strays = keys.filter((key) => !noted.has(key));
  for (const day of new Set(strays.map((key) => key.slice(prefixOf(log).length).split('/')[0] ?? ''))) {
    signal.throwIfAborted();
    if (/^\d{4}-\d{2}-\d{2}$/.test(day)) await removeStraysOf(deps, log, day);
  }
}
