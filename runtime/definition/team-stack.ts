/** A source map that says nothing, for code whose own was not kept. */
export const EMPTY_MAP = new TextEncoder().encode(JSON.stringify({ version: 3, sources: [], names: [], mappings: '' }));

/** A stack without the machine's temporary folder, Node's own frames and those of our programs. */
export function teamStack(stack: string, home: string): string {
  return stack.split('\n').filter((line) => !/\(?node:internal|runtime\/(programs|child|generate)\//.test(line)).slice(0, 6).join('\n').replaceAll(`file://${home}/`, '').replaceAll(`${home}/`, '');
}
