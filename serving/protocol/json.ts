import { ServingError } from '../errors.js';

/** Levels of arrays and objects in one another. No request needs more than a dozen; millions of them keep the parser, and with it every other request, busy for half a minute. */
const DEEPEST = 64;
/** Below this size the deepest nesting costs nothing that would be noticed, and is not looked for. */
const LOOKED_AT_FROM = 64 * 1024;

/** The JSON of a body, or of what else `what` names; 400 where it is none, or nested too deeply. */
export function parseJson(bytes: Buffer, what = 'body'): unknown {
  if (bytes.length >= LOOKED_AT_FROM && isTooDeep(bytes)) throw new ServingError(400, `The ${what} has more than ${DEEPEST} levels of arrays and objects in one another.`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ServingError(400, `The ${what} is not JSON.`);
  }
}

const [QUOTE, BACKSLASH, OPENS, CLOSES] = [0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]] as const;

function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
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
      if (depth > DEEPEST) return true;
    } else if (byte === CLOSES[0] || byte === CLOSES[1]) {
      depth -= 1;
    }
  }
  return false;
}
