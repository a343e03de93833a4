import { diskFull } from '../../contract/disk-full.js';
import { ERRORS, PerennialError } from '../../contract/errors.js';
import type { ErrorCode } from '../../contract/errors.js';
import type { ChildFrameOf } from '../../contract/frames.js';
import type { ChildEnd } from './start.js';

const STACK_LINES = 12;

/** A failure inside a child, as it is reported to the host. */
export function failedFrame(error: unknown, fallback: ErrorCode): ChildFrameOf<'failed'> {
  const known = diskFull(error, 'a file of a child process') ?? error;
  if (known instanceof PerennialError) return { v: 1, kind: 'failed', code: known.code, message: known.message, details: { ...known.details } };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = error instanceof Error ? (error.stack ?? message).split('\n').slice(0, STACK_LINES).join('\n') : message;
  return { v: 1, kind: 'failed', code: fallback, message, details: { stack } };
}

/** A failure that a child reported, as the host throws it. */
export function reportedError(frame: ChildFrameOf<'failed'>, fallback: ErrorCode): PerennialError {
  return new PerennialError(frame.code in ERRORS ? (frame.code as ErrorCode) : fallback, frame.message, frame.details);
}

/** The codes that a host gives to ends its child did not report itself. */
export interface EndCodes { readonly memory: ErrorCode; readonly timeout: ErrorCode; readonly crashed: ErrorCode }

/** A child that ended without a result, as the host throws it. `doing` completes "… while ‹doing›". */
export function endError(end: ChildEnd, output: string, doing: string, codes: EndCodes, signal?: AbortSignal): Error {
  const tail = output.trim().split('\n').slice(-STACK_LINES).join('\n');
  switch (end.kind) {
    case 'memory': return new PerennialError(codes.memory, `used ${end.residentMb} MB of memory while ${doing}; the limit is ${end.limitMb} MB`, { residentMb: end.residentMb, limitMb: end.limitMb });
    case 'timeout': return new PerennialError(codes.timeout, `not done after ${end.limitMs / 1000} s${end.of === 'processor' ? ' of processor time' : ''} while ${doing}`, { limitMs: end.limitMs });
    case 'aborted': return signal?.reason instanceof Error ? signal.reason : new DOMException(`stopped while ${doing}`, 'AbortError');
    case 'host': return end.error instanceof Error ? end.error : new Error(String(end.error));
    case 'protocol': return new PerennialError(codes.crashed, `the child process sent bytes that are no frame while ${doing}: ${end.error.message}`, { output: tail });
    case 'exited':
      // V8 and libstdc++ abort the process themselves when an allocation fails.
      if (/heap out of memory|std::bad_alloc/.test(output)) return new PerennialError(codes.memory, `ran out of memory while ${doing}`, { output: tail });
      return new PerennialError(codes.crashed, `the child process ended ${end.signal ? `by ${end.signal}` : `with code ${end.code ?? 'unknown'}`} while ${doing}${tail ? `: ${tail.split('\n').at(-1) ?? ''}` : ''}`, { output: tail, code: end.code, signal: end.signal });
  }
}
