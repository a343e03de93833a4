import { ServingError } from '../errors.js';

/** Levels of arrays and objects in one another. No request needs more than a dozen; millions of them keep the parser, and with it every other request, busy for half a minute. */
const DEEPEST = 64;
/**
 * Lists and objects of a body together: 1,024 pictures of 32 × 32 pixels, nested, have 1,082,368. Each takes some 60 bytes of memory and half a microsecond once it is
 * parsed, were it empty: ten million of them, 30 MB to send, keep the parser busy for seconds and need more memory than the process has.
 */
const MOST_LISTS = 1_250_000;
/** Below this size neither costs anything that would be noticed, and neither is looked for. */
const LOOKED_AT_FROM = 64 * 1024;

/** The JSON of a body, or of what else `what` names; 400 where it is none, or nested too deeply, 413 where it has too many lists. */
export function parseJson(bytes: Buffer, what = 'body'): unknown {
  if (bytes.length >= LOOKED_AT_FROM) requireBounds(bytes, what);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ServingError(400, `The ${what} is not JSON.`);
  }
}

/** Whether {@link parseJson} may take a body of so many bytes, of which `lists` lists were read already and this text of JSON is the rest. */
export function isWithinBounds(bodyBytes: number, text: string, lists: number): boolean {
  if (bodyBytes < LOOKED_AT_FROM) return true;
  try {
    requireBounds(Buffer.from(text), 'body', lists);
    return true;
  } catch (error) {
    if (error instanceof ServingError) return false;
    throw error;
  }
}

const [QUOTE, BACKSLASH, OPENS, CLOSES] = [0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]] as const;

function requireBounds(bytes: Buffer, what: string, before = 0): void {
  let depth = 0;
  let lists = before;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) {
      inText = true;
    } else if (byte === OPENS[0] || byte === OPENS[1]) {
      depth += 1;
      lists += 1;
      if (depth > DEEPEST) throw new ServingError(400, `The ${what} has more than ${DEEPEST} levels of arrays and objects in one another.`);
      if (lists > MOST_LISTS) throw new ServingError(413, `The ${what} has more than ${MOST_LISTS.toLocaleString('en')} arrays and objects: send tensors flat or as bytes, pictures as files, or fewer rows at once.`);
    } else if (byte === CLOSES[0] || byte === CLOSES[1]) {
      depth -= 1;
    }
  }
}
