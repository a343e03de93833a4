/** Deeper nesting than this is refused: it would be a cycle, or too deep for the stack. */
const MAXIMUM_DEPTH = 500;

/** Matches a surrogate without its partner: with the `u` flag, paired ones are read as one code point. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Canonical JSON of a value (RFC 8785, JSON Canonicalization Scheme): no white space, members sorted by UTF-16 code
 * units, numbers and strings as ECMAScript writes them. Members that are `undefined` are left out, as `JSON.stringify` does.
 * @throws TypeError naming the place (`$.rows[3].value`) of what has no canonical form: `undefined` elsewhere, NaN, infinities,
 * bigints, functions, symbols, lone surrogates, and objects that are not plain (a Map, a Date, bytes), which JSON would empty.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0);
}

function write(value: unknown, at: string, depth: number): string {
  if (depth > MAXIMUM_DEPTH) throw new TypeError(`canonical JSON: ${at.slice(0, 80)}… is nested deeper than ${MAXIMUM_DEPTH}, or holds itself`);
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean': return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`canonical JSON: ${at} is ${value}, which JSON has no form for`);
      return JSON.stringify(value);
    case 'string': return text(value, at);
    case 'object': return Array.isArray(value) ? array(value, at, depth) : object(value, at, depth);
    default: throw new TypeError(`canonical JSON: ${at} is of type ${typeof value}, which JSON has no form for`);
  }
}

function text(value: string, at: string): string {
  if (LONE_SURROGATE.test(value)) throw new TypeError(`canonical JSON: ${at} holds a lone surrogate, which has no UTF-8 form`);
  return JSON.stringify(value);
}

function array(items: readonly unknown[], at: string, depth: number): string {
  const parts: string[] = [];
  for (let index = 0; index < items.length; index += 1) parts.push(write(items[index], `${at}[${index}]`, depth + 1));
  return `[${parts.join(',')}]`;
}

function object(value: object, at: string, depth: number): string {
  // By tag and not by prototype: in a workflow, plain objects may come from another realm.
  const tag = Object.prototype.toString.call(value);
  if (tag !== '[object Object]') throw new TypeError(`canonical JSON: ${at} is ${tag}, not a plain object`);
  const members: string[] = [];
  // The default order of `sort` is by UTF-16 code units, which is what the RFC asks for.
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const place = `${at}.${key}`;
    members.push(`${text(key, place)}:${write(member, place, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}
