import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Signature } from '../../contract/package.js';
import { ServingError } from '../../serving/errors.js';
import { parseRequestJson } from '../../serving/protocol/bytes-in-json.js';
import { parseJson } from '../../serving/protocol/json.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';

const SHAPE = [20, 10, 3];
const signature: Signature = { inputs: [{ name: 'image', datatype: 'UINT8', shape: SHAPE }], outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }], classes: ['car', 'truck'] };
const LENGTH = 2 * 20 * 10 * 3;
const pixels = Array.from({ length: LENGTH }, (_, at) => (at * 7_919) % 256);

const nestedAs = (values: readonly number[], [size = 0, ...within]: readonly number[]): unknown[] =>
  within.length === 0 ? [...values] : Array.from({ length: size }, (_, at) => nestedAs(values.slice(at * values.length / size, (at + 1) * values.length / size), within));
const requestOf = (data: unknown, more: object = {}) => ({ id: 'é"\\', inputs: [{ name: 'image', shape: [2, ...SHAPE], datatype: 'UINT8', ...more, data }], parameters: { light: 'day' } });

/** What a caller gets: the rows, or the error. */
function outcome(parse: (body: Buffer) => unknown, body: Buffer): unknown {
  try {
    const { id, parameters, outputs, ...request } = parseInferenceRequest(parse(body));
    return { id, parameters, outputs, rows: rowsOf({ ...request }, signature, 100), inputs: request.inputs.map(({ data: _data, ...input }) => input) };
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
    return { status: error.status, message: error.message };
  }
}
const same = (body: Buffer) => { expect(outcome(parseRequestJson, body)).toEqual(outcome(parseJson, body)); };
const isQuick = (body: Buffer): boolean => {
  const { inputs } = parseRequestJson(body) as { inputs: { data: unknown }[] };
  return inputs.some(({ data }) => data instanceof Uint8Array);
};

const FLAT = requestOf(pixels);
const NESTED = requestOf(nestedAs(pixels, [2, ...SHAPE]));
test.each([
  ['flat', JSON.stringify(FLAT)], ['nested', JSON.stringify(NESTED)], ['with spaces, as Python writes it', JSON.stringify(FLAT).replaceAll(',', ', ').replaceAll(':', ': ')], ['in lines', JSON.stringify(NESTED, null, '\t').replaceAll('\n', '\r\n')],
  ['of another datatype with the same values', JSON.stringify(requestOf(pixels, { datatype: 'FP32' }))],
])('pixels in JSON are read from its bytes: %s', (_how, text) => {
  const body = Buffer.from(text);
  expect(isQuick(body)).toBe(true);
  same(body);
  expect(outcome(parseRequestJson, body)).toMatchObject({ id: 'é"\\', parameters: { light: 'day' }, rows: { count: 2, input: Uint8Array.from(pixels) } });
});

test.each([
  ['numbers that are no bytes', requestOf([256, ...pixels.slice(1)])], ['a fraction', requestOf([0.5, ...pixels.slice(1)])], ['a text', requestOf(['1', ...pixels.slice(1)])], ['nothing', requestOf([])],
  ['nested otherwise than its shape says', requestOf(nestedAs(pixels, [LENGTH / 10, 10]))], ['rows of several sizes', requestOf([pixels.slice(0, 600), pixels.slice(599)])], ['bytes of no numbers', requestOf(pixels, { datatype: 'BYTES' })],
  ['two inputs', { ...FLAT, inputs: [...FLAT.inputs, ...FLAT.inputs] }], ['data elsewhere', { ...FLAT, parameters: { data: pixels } }], ['a list', [FLAT]], ['no input', { data: pixels }],
])('what is not plainly of that form is left to the parser of JSON: %s', (_what, request) => {
  const body = Buffer.from(JSON.stringify(request));
  expect(outcome(parseRequestJson, body)).toEqual(outcome(parseJson, body));
});

/** Pieces that a body is broken with. */
const PIECES = ['[', ']', ',', ':', '"', '\\', '{', '}', ' ', '\n', '0', '00', '7', '255', '256', '999999', '-', '-0', '.5', '1.0', '1e2', 'null', '[]', '[1]', '"data":', '"data":[1,2]', '"data" :[1,2],', '\\"data":[1,2],', '"x\\"data":[1],', '"\\u0064ata":[3],', '"inputs":[],', '"shape":[1],', '"__proto__":{"data":[1]},', '\u00e9', '\ufeff', '\0'];
const edit = fc.record({ at: fc.nat(), removed: fc.integer({ min: 0, max: 12 }), piece: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 })), near: fc.boolean() });

test('whatever a body is, its answer is the one that the parser of JSON alone would have made', () => {
  const texts = [JSON.stringify(FLAT), JSON.stringify(NESTED), JSON.stringify(FLAT, null, 1), JSON.stringify({ ...FLAT, id: undefined, parameters: { data: [1, 2] } })];
  fc.assert(fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
    let broken = text;
    for (const { at, removed, piece, near } of edits) {
      const place = near ? Math.max(0, broken.indexOf('"data"') - 40 + (at % 80)) : at % broken.length;
      broken = broken.slice(0, place) + piece + broken.slice(place + removed);
    }
    same(Buffer.from(broken));
  }), { numRuns: 1_000 });
});

test('a large body that is nested too deeply is refused, wherever the depth is', () => {
  const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
  const large = JSON.stringify({ ...requestOf(Array.from({ length: 40_000 }, () => 7)), outputs: 'DEEP' }).replace('"DEEP"', deep);
  expect(outcome(parseRequestJson, Buffer.from(large))).toMatchObject({ status: 400, message: expect.stringContaining('levels') as string });
  same(Buffer.from(large));
});

test('a body of too many lists is refused, also where they hold bytes', () => {
  const rows = 1_250_001;
  const body = Buffer.from(`{"inputs":[{"name":"image","shape":[${rows},1],"datatype":"UINT8","data":[${'[7],'.repeat(rows - 1)}[7]]}]}`);
  expect(outcome(parseRequestJson, body)).toMatchObject({ status: 413, message: expect.stringContaining('arrays and objects') as string });
});
