import { z } from 'zod';

export const ProgramState = z.enum(['starting', 'ready', 'restarting', 'crash-looping', 'done', 'stopped']);
export type ProgramState = z.infer<typeof ProgramState>;

export const ProgramStatus = z.object({
  name: z.string(),
  state: ProgramState,
  /** of the running process */
  pid: z.int().positive().optional(),
  /** when it entered this state, ISO 8601 */
  since: z.iso.datetime({ offset: true }),
  /** since the supervisor started */
  restarts: z.int().min(0),
  url: z.string().optional(),
  /** why the last try failed, until one succeeds */
  lastFailure: z.string().optional(),
  logFile: z.string(),
});
export type ProgramStatus = z.infer<typeof ProgramStatus>;

/** `status.json`, replaced at every change. */
export const SupervisorStatus = z.object({
  v: z.literal(1),
  pid: z.int().positive(),
  startedAt: z.iso.datetime({ offset: true }),
  programs: z.array(ProgramStatus),
});
export type SupervisorStatus = z.infer<typeof SupervisorStatus>;
