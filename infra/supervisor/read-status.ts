import { readIfThere } from '../stack/files.js';
import { homeLayout } from '../stack/home.js';
import { lockHolder } from './lock.js';
import { SupervisorStatus } from './status.js';

export interface HomeStatus {
  /** a supervisor runs on this home now */
  running: boolean;
  /** the last it noted; of the running one, unless it has not come that far */
  status?: SupervisorStatus;
}

/** What runs on this home. Answers from files, so it neither needs the supervisor nor waits for it. */
export async function readStatus(home: string): Promise<HomeStatus> {
  const layout = homeLayout(home);
  const holder = await lockHolder(layout.lockFile);
  const text = await readIfThere(layout.statusFile);
  if (text === undefined) return { running: holder !== undefined };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${layout.statusFile} is not JSON: remove it, it is written again at the next change`, { cause: error });
  }
  const parsed = SupervisorStatus.safeParse(value);
  const isOfHolder = parsed.success && (holder === undefined || parsed.data.pid === holder.pid);
  return { running: holder !== undefined, ...(isOfHolder ? { status: parsed.data } : {}) };
}
