import { join } from 'node:path';
import type { ChildFrameOf, GeneratedField } from '../../contract/frames.js';
import { endError } from '../child/failure.js';
import { startChild } from '../child/start.js';
import { EMPTY_MAP, teamStack } from '../definition/team-stack.js';

/** The generator did not give all its rows; the message says why, with the team's stack where it threw. */
export class GeneratorFailed extends Error {
  override readonly name = 'GeneratorFailed';
}

export interface GenerateOptions {
  /** The bundle of the definition's file. */
  readonly code: Uint8Array;
  readonly export: string;
  readonly fields: readonly GeneratedField[];
  readonly limits: { readonly rows: number; readonly minutes: number; readonly memoryMb: number };
  readonly signal: AbortSignal;
  /** Called at once, frame by frame: what it takes holds the generator up. Each line of the body is a JSON array: the row's number, then its values as text. */
  readonly onRows: (frame: ChildFrameOf<'rows'>, body: Uint8Array) => void;
}

const CODES = { memory: 'definition/threw', timeout: 'definition/timeout', crashed: 'definition/threw' } as const;

/**
 * Runs a generator of the team's in a child process to its end.
 * @throws GeneratorFailed where it threw, gave more rows than the limit, took too long or too much memory
 */
export async function generateInChild({ code, export: name, fields, limits, signal, onRows }: GenerateOptions): Promise<void> {
  let last: ChildFrameOf<'generated'> | ChildFrameOf<'failed'> | null = null;
  const child = startChild({
    program: 'generate', memoryMb: limits.memoryMb, timeoutMs: limits.minutes * 60_000, signal, nodeArguments: ['--enable-source-maps'],
    files: { 'definition.mjs': Buffer.concat([code, Buffer.from('\n//# sourceMappingURL=definition.mjs.map\n')]), 'definition.mjs.map': EMPTY_MAP },
    onFrame: (frame, body) => {
      if (frame.kind === 'rows') onRows(frame, body);
      else if (frame.kind === 'generated' || frame.kind === 'failed') last ??= frame;
    },
  });
  child.start({ program: 'generate', module: join(child.home, 'definition.mjs'), export: name, fields: [...fields], limit: limits.rows });
  const end = await child.end;
  signal.throwIfAborted();
  if (end.kind === 'host') throw end.error;
  const frame = last as ChildFrameOf<'generated'> | ChildFrameOf<'failed'> | null;
  if (frame?.kind === 'failed') {
    const stack = typeof frame.details['stack'] === 'string' ? teamStack(frame.details['stack'], child.home) : frame.message;
    throw new GeneratorFailed(`${name}() threw: ${stack}`);
  }
  if (frame === null) throw new GeneratorFailed(`${name}() did not come to its end: ${endError(end, child.output(), `${name}() gave rows`, CODES).message}`);
  if (frame.seen > limits.rows) throw new GeneratorFailed(`${name}() gives more rows than its limit of ${limits.rows}`);
}
