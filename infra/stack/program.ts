/** What the supervisor has to know to run a program: an embedded part or one of Perennial's own processes. */
export interface Program {
  /** unique in its table; names the log file and the status entry */
  readonly name: string;
  /** programs of a stage start together, once every program of the stages below is ready (or, a one-shot, done) */
  readonly stage: number;
  readonly kind: 'service' | 'one-shot';
  readonly command: string;
  readonly args: readonly string[];
  /** the whole environment of the process: nothing is inherited beside it */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** of the program's own code; a running process of another version is replaced, not taken over */
  readonly version?: string;
  /** runs as this user (numeric ids); only root can ask for it */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** before every start; safe to repeat */
  readonly prepare?: () => Promise<void>;
  readonly readiness: Readiness;
  /** after every time it became ready, before anyone is told; safe to repeat */
  readonly afterReady?: () => Promise<void>;
  /** after it was ended for good; a killed supervisor never comes here */
  readonly afterStop?: () => Promise<void>;
  readonly readyTimeoutMs: number;
  /** asks for an orderly end */
  readonly stopSignal: NodeJS.Signals;
  /** from that signal to SIGKILL */
  readonly graceMs: number;
  /** where people find it */
  readonly url?: string;
}

export type Readiness =
  /** asked again until it is true; a rejection counts as "not yet" and its message is what a failed start reports */
  | { readonly kind: 'probe'; readonly check: () => Promise<boolean> }
  /** the process says so itself: `process.send({ ready: true })` */
  | { readonly kind: 'message' }
  /** a one-shot is done when it has exited with 0 */
  | { readonly kind: 'exit' };

/** The few variables of the environment that a program which is not ours needs. */
export function bareEnvironment(home: string): Record<string, string> {
  const path = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  return { PATH: path, HOME: home, LANG: 'C.UTF-8', TZ: 'UTC' };
}
