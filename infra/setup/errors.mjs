/** A failure that a person can act on: its message is one sentence that says what is wrong and what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** The first and last lines of a program's output, for the end of an error message. */
export function excerpt(text, first = 8, last = 8) {
  const lines = text.trim().split('\n');
  return lines.length <= first + last ? lines.join('\n') : [...lines.slice(0, first), '…', ...lines.slice(-last)].join('\n');
}

/** True where `error` is a Node system error with one of the codes. */
export function hasCode(error, ...codes) {
  return error instanceof Error && 'code' in error && codes.includes(error.code);
}
