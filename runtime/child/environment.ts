export interface ChildEnvironment {
  /** A folder of the child's own; everything it writes without a path goes there. */
  readonly home: string;
  /** Absolute path of the module that loads TensorFlow; absent for programs that need none. */
  readonly tfjsNode?: string | undefined;
  readonly threads?: number | undefined;
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/** Names that a caller may add; nothing else of the host's environment reaches team code, so that no credential does. */
const ALLOWED_EXTRA = /^(OMP|MKL|TF|ONEDNN|MALLOC)_[A-Z0-9_]+$/;

/** The whole environment of a child process. */
export function childEnvironment({ home, tfjsNode, threads, extra = {} }: ChildEnvironment): Record<string, string> {
  const refused = Object.keys(extra).filter((name) => !ALLOWED_EXTRA.test(name));
  if (refused.length > 0) throw new TypeError(`a child process may not be given ${refused.join(', ')}: only settings of TensorFlow and its libraries`);
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home, TMPDIR: home, TZ: 'UTC', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NODE_ENV: 'production',
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...(tfjsNode === undefined ? {} : { PERENNIAL_TFJS_NODE: tfjsNode }),
    ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: '1', OMP_NUM_THREADS: String(threads) }),
    ...extra,
  };
}
