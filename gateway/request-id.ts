import { randomUUID } from 'node:crypto';

/** The caller's own id, by which a request that is sent again happens once; else a new one. */
export function requestId(given: string | undefined): string {
  return given ?? randomUUID();
}
