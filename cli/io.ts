/** What a command may touch of its process. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal: colours and a moving line are welcome. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Asks on the terminal; null where there is none. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Calls the listener once when the process is told to stop (Ctrl-C) instead of ending it; what it gives takes that back. Left out where there is no process to stop. */
  readonly onInterrupt?: (listener: () => void) => () => void;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

/** Colours on a terminal (unless `NO_COLOR` is set), plain text elsewhere. */
export function createPaint(io: Pick<Io, 'isTerminal' | 'env'>): Paint {
  const coloured = io.isTerminal && !io.env['NO_COLOR'];
  const painter = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return Object.fromEntries(Object.entries(CODES).map(([name, code]) => [name, painter(code)])) as Record<keyof typeof CODES, (text: string) => string>;
}
