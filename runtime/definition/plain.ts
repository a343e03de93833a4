/** A value of a definition that plain data cannot hold, by its path. */
export interface NotPlain { readonly path: string; readonly found: string }

const MAXIMUM_DEPTH = 64;

/**
 * Copies what a team's code exported into plain data, and lists what is none: functions, NaN, dates, cycles. Such a value
 * would otherwise vanish in JSON and be reported as missing.
 */
export function toPlain(value: unknown): { readonly value: unknown; readonly problems: readonly NotPlain[] } {
  const problems: NotPlain[] = [];
  const copy = (item: unknown, path: string, depth: number): unknown => {
    const refuse = (found: string) => { problems.push({ path, found }); return null; };
    if (depth > MAXIMUM_DEPTH) return refuse(`values nested deeper than ${MAXIMUM_DEPTH}, or a cycle`);
    switch (typeof item) {
      case 'string': case 'boolean': case 'undefined': return item;
      case 'number': return Number.isFinite(item) ? item : refuse(String(item));
      case 'function': return refuse('a function');
      case 'bigint': return refuse('a bigint');
      case 'symbol': return refuse('a symbol');
      case 'object': break;
    }
    if (item === null) return null;
    if (Array.isArray(item)) return item.map((entry, index) => copy(entry, `${path}[${index}]`, depth + 1));
    const prototype: unknown = Object.getPrototypeOf(item);
    if (prototype !== Object.prototype && prototype !== null) return refuse(`an object of ${(item).constructor.name}`);
    const entries = Object.entries(item).map(([key, entry]) => [key, copy(entry, path === '' ? key : `${path}.${key}`, depth + 1)] as const);
    return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
  };
  return { value: copy(value, '', 0), problems };
}
