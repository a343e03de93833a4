import fc from 'fast-check';

/** JSON whose text is not what `JSON.stringify` would write: numbers that no number holds, keys twice, half of a pair. */
export class Raw {
  constructor(readonly text: string) {}
}

/** A JSON value in which parts may be {@link Raw}, and objects lists of entries, so that a key may come twice. */
export type Tree = null | boolean | number | string | Raw | readonly Tree[] | Entries;
export class Entries {
  constructor(readonly entries: readonly (readonly [string, Tree])[]) {}
}

export function treeOf(value: unknown): Tree {
  if (value instanceof Raw || value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(treeOf);
  return new Entries(Object.entries(value as object).map(([key, part]) => [key, treeOf(part)]));
}

export function textOf(tree: Tree): string {
  if (tree instanceof Raw) return tree.text;
  if (tree instanceof Entries) return `{${tree.entries.map(([key, part]) => `${JSON.stringify(key)}:${textOf(part)}`).join(',')}}`;
  return isList(tree) ? `[${tree.map(textOf).join(',')}]` : JSON.stringify(tree);
}

const isList = (tree: Tree): tree is readonly Tree[] => Array.isArray(tree);

const nested = (depth: number): Raw => new Raw('['.repeat(depth) + ']'.repeat(depth));
const DATATYPES = ['BOOL', 'UINT8', 'UINT64', 'INT8', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES', 'BF16', 'fp32'];
const KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'id', 'parameters', 'inputs', 'instances', 'row', 'name', 'shape', 'b64', '\u0000', '\ud800', 'k'.repeat(5_000), '💥', 'binary_data_size', 'timeout'];

const nastyLeaf: fc.Arbitrary<Tree> = fc.oneof(
  fc.constantFrom<Tree[]>(null, true, false, 0, -1, 1, 1.5, 255, 256, 1e308, -1e308, 4e38, 5e-324, 2 ** 53, 9_223_372_036_854_775_807, '', 'a', '1', 'null', 'NaN', '\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '2026-02-30T00:00:00Z', '💥'),
  fc.constantFrom(...['1e999', '-1e999', '-0', '1E400', '0.1e-999', '123456789012345678901234567890', '"\\ud800"', '"\\u0000"', '{"__proto__":{"x":1}}', '{"__proto__":null}', '{"a":1,"a":2}', '{"b64":"AAAA"}', '{"b64":"!!"}', '{"b64":1}', '{"b64":""}', '{"b64":"/////w=="}', '[]', '{}', '[[]]', '[[1],[2,3]]', '[null]', 'NaN', 'undefined', '01', "'a'", '[1,]', '{"a"}'].map((text) => new Raw(text))),
  fc.constantFrom(...DATATYPES), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: 'binary', maxLength: 30 }),
);
const nasty: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 20, arbitrary: nastyLeaf },
  { weight: 2, arbitrary: fc.constantFrom(10, 100, 5_000, 100_000).map(nested) },
  { weight: 1, arbitrary: fc.constantFrom(300, 100_000, 2_000_000).map((length) => 'a'.repeat(length)) },
  { weight: 1, arbitrary: fc.constantFrom(3, 40_000, 2_000_000).map((length) => new Raw(`{"b64":"${'A'.repeat(length)}"}`)) },
  { weight: 2, arbitrary: fc.array(nastyLeaf, { maxLength: 6 }) },
);

/** A change at one place of a tree; `at` chooses the place, whatever the tree's size. */
interface Mutation { readonly at: number; readonly apply: (found: Tree) => Tree }

const mutation: fc.Arbitrary<Mutation> = fc.tuple(fc.nat(1_000_000), fc.oneof(
  { weight: 8, arbitrary: nasty.map((value) => () => value) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...KEYS), nastyLeaf).map(([key, value]) => (found: Tree) => (found instanceof Entries ? new Entries([...found.entries, [key, value]]) : new Entries([[key, found]]))) },
  { weight: 3, arbitrary: fc.nat(20).map((which) => (found: Tree) => without(found, which)) },
  { weight: 2, arbitrary: fc.constantFrom(1, 2, 30, 700, 5_000).map((times) => (found: Tree) => (isList(found) && found.length * times <= 200_000 ? Array.from({ length: times + 1 }, () => found).flat(1) : [found])) },
  { weight: 2, arbitrary: fc.nat(20).map((which) => (found: Tree) => twice(found, which)) },
  { weight: 1, arbitrary: fc.constant((found: Tree): Tree => [found]) },
)).map(([at, apply]) => ({ at, apply }));

function without(found: Tree, which: number): Tree {
  if (found instanceof Entries) return new Entries(found.entries.filter((_, index) => index !== which % found.entries.length));
  return isList(found) ? found.filter((_, index) => index !== which % found.length) : null;
}

function twice(found: Tree, which: number): Tree {
  if (found instanceof Entries) return new Entries([...found.entries, ...found.entries.slice(which % Math.max(1, found.entries.length))]);
  return isList(found) ? [...found, ...found.slice(which % Math.max(1, found.length))] : found;
}

/** Long lists of numbers (pixels) are one place, and their first elements: else nothing but pixels would ever be changed. */
const LOOKED_AT = 4;
function placesIn(tree: Tree): number {
  if (tree instanceof Entries) return 1 + tree.entries.reduce((sum, [, part]) => sum + placesIn(part), 0);
  return isList(tree) ? 1 + tree.slice(0, LOOKED_AT).reduce((sum: number, part) => sum + placesIn(part), 0) : 1;
}

function changed(tree: Tree, { at, apply }: Mutation): Tree {
  let left = at % placesIn(tree);
  const visit = (found: Tree): Tree => {
    if (left-- === 0) return apply(found);
    if (left < 0) return found;
    if (found instanceof Entries) return new Entries(found.entries.map(([key, part]) => [key, left < 0 ? part : visit(part)]));
    return isList(found) ? found.map((part, index) => (index >= LOOKED_AT || left < 0 ? part : visit(part))) : found;
  };
  return visit(tree);
}

/** A value with a few changes, as its text; with none about one time in four. */
export function mutated(value: unknown): fc.Arbitrary<string> {
  const tree = treeOf(value);
  return fc.array(mutation, { maxLength: 3 }).map((mutations) => textOf(mutations.reduce(changed, tree)));
}

type ByteChange = (bytes: Buffer) => Buffer;
const spliced = (bytes: Buffer, at: number, remove: number, insert: Buffer) => Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
const byteChange: fc.Arbitrary<ByteChange> = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.oneof(
  fc.nat(255).map((value) => (at: number, bytes: Buffer) => spliced(bytes, at, 1, Buffer.from([value]))),
  fc.constant((at: number, bytes: Buffer) => bytes.subarray(0, at)),
  fc.uint8Array({ maxLength: 12 }).map((values) => (at: number, bytes: Buffer) => spliced(bytes, at, 0, Buffer.from(values))),
  fc.constantFrom('ff', 'c080', 'efbbbf', 'eda080', '00', 'f4908080', 'ffffffff', '7fffffff').map((hex) => (at: number, bytes: Buffer) => spliced(bytes, at, 4, Buffer.from(hex, 'hex'))),
  fc.nat(2_000).map((count) => (at: number, bytes: Buffer) => spliced(bytes, at, count, Buffer.alloc(0))),
)).map(([share, change]) => (bytes) => change(Math.floor(share * bytes.length), bytes));

/** Bytes with a few of them changed, cut or put in; mostly none. */
export function bitten(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const changes = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(byteChange, { minLength: 1, maxLength: 3 }) });
  return fc.tuple(bytes, changes).map(([found, list]) => list.reduce((bite, change) => change(bite), found));
}
