import type { ToldError } from '../told-error.js';

/** What the thread that copies is made with. */
export interface CopyThreadData { readonly databaseUrl: string; readonly applicationName: string; readonly niceness: number; readonly events: boolean }

/** To the thread: copy what is complete. One round at a time. */
export interface CopyRequest { readonly dir: string; readonly own: string; readonly orphans: boolean }

/** From the thread. */
export type CopyReport =
  | { readonly kind: 'shipped'; readonly bytes: number; readonly rows: number; readonly orphan: boolean }
  | { readonly kind: 'problem'; readonly message: string; readonly error: ToldError | null }
  | { readonly kind: 'done'; readonly error: ToldError | null };
