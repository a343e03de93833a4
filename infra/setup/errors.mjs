/** A failure that a person can act on: its message is one sentence that says what is wrong and what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** The last `lines` lines of a program's output, for the end of an error message. */
export function tail(text, lines = 12) {
  return text.trim().split('\n').slice(-lines).join('\n');
}

/** True where `error` is a Node system error with one of the codes. */
export function hasCode(error, ...codes) {
  return error instanceof Error && 'code' in error && codes.includes(error.code);
}
