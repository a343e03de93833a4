import { expect, test } from 'vitest';
import type { Signature } from '../../contract/package.js';
import { ServingError } from '../../serving/errors.js';
import { attributesOf, parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';
import type { Rows } from '../../serving/protocol/rows.js';

const table: Signature = { inputs: ['age', 'fare'].map((name) => ({ name, datatype: 'FP32', shape: [1] })), outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }], classes: ['no', 'yes'] };
const column = (name: string, data: unknown, shape = [2], datatype = 'FP32') => ({ name, shape, datatype, data });
const rows = (...inputs: unknown[]) => rowsOf(parseInferenceRequest({ inputs }), table, 10);
const cells = (found: Rows) => {
  if (found.datatype !== 'CELLS') throw new Error('rows of a table are expected');
  return found;
};
const refusal = (work: () => unknown): { status: number; message: string } => {
  try {
    work();
  } catch (error) {
    if (error instanceof ServingError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
};

test('columns of a table are taken by name and become rows, whatever their order, nesting and datatype', () => {
  const { count, input, logged } = cells(rows(column('fare', [[7.1], [8]], [2, 1]), column('age', [30, 40], [2], 'INT64')));
  expect({ count, input }).toEqual({ count: 2, input: [[30, Math.fround(7.1)], [40, 8]] });
  expect(new TextDecoder().decode(logged[1])).toBe('{"age":40,"fare":8}');
});

test('a table that does not fit the signature is refused and the column named', () => {
  expect(refusal(() => rows(column('age', [1, 2])))).toMatchObject({ status: 422, message: expect.stringContaining('Missing input: fare') as string });
  expect(refusal(() => rows(column('age', [1, 2]), column('fare', [1, 2]), column('name', [1, 2])))).toMatchObject({ status: 422, message: expect.stringContaining('Unknown input: name') as string });
  expect(refusal(() => rows(column('age', [1, 2]), column('fare', [1, 2, 3], [3])))).toMatchObject({ status: 422, message: expect.stringContaining('"fare"') as string });
  expect(refusal(() => rows(column('age', [1, null]), column('fare', [1, 2])))).toMatchObject({ status: 422, message: expect.stringContaining('"age", value 1: null') as string });
  expect(refusal(() => rows(column('age', [1, 2]), column('fare', [1, 1e39], [2], 'FP64')))).toMatchObject({ status: 422 });
  expect(refusal(() => rows(column('age', [1, 2]), column('age', [1, 2]), column('fare', [1, 2])))).toMatchObject({ status: 422, message: expect.stringContaining('twice') as string });
  expect(refusal(() => rows(column('age', 'many'), column('fare', [1, 2])))).toMatchObject({ status: 400 });
});

const typed: Signature = {
  inputs: [
    { name: 'age', datatype: 'FP64', shape: [1], type: 'number', nullable: true }, { name: 'sex', datatype: 'BYTES', shape: [1], type: 'text', nullable: false, allowed: ['female', 'male'] },
    { name: 'alone', datatype: 'BOOL', shape: [1], type: 'boolean', nullable: false }, { name: 'booked', datatype: 'BYTES', shape: [1], type: 'time', nullable: true },
  ], outputs: table.outputs, classes: table.classes,
};
const typedRows = (...inputs: unknown[]) => rowsOf(parseInferenceRequest({ inputs }), typed, 10);
const sex = column('sex', ['male', 'female'], [2], 'BYTES');
const alone = column('alone', [true, false], [2], 'BOOL');

test('typed columns are taken as they are called; a nullable one may hold nulls, or be left out', () => {
  const { input, logged } = cells(typedRows(sex, alone, column('age', [0.1, null], [2], 'FP32'), column('booked', [['2026-01-31T10:00:00+02:00'], [null]], [2, 1], 'BYTES')));
  expect(input).toEqual([[0.1, 'male', true, '2026-01-31T08:00:00.000Z'], [null, 'female', false, null]]);
  expect(new TextDecoder().decode(logged[0])).toBe('{"age":0.1,"alone":true,"booked":"2026-01-31T08:00:00.000Z","sex":"male"}');
  expect(typedRows(sex, alone).input).toEqual([[null, 'male', true, null], [null, 'female', false, null]]);
});

test.each([
  ['a missing column', [sex], /Missing input: alone/],
  ['a null where none may be', [sex, column('alone', [true, null], [2], 'BOOL')], /"alone", value 1: null is not true or false/],
  ['a text for a number', [sex, alone, column('age', ['1', '2'], [2], 'FP64')], /"age", value 0: "1" is not a finite number, or null/],
  ['a datatype of another type', [sex, alone, column('age', ['1', '2'], [2], 'BYTES')], /"age" has datatype BYTES; the column is of type number: FP64/],
  ['a number for a text', [column('sex', [1, 2], [2], 'BYTES'), alone], /"sex", value 0: 1 is not text/],
  ['a category that is not known', [column('sex', ['male', 'x'], [2], 'BYTES'), alone], /"sex", value 1: "x" is a category that the model does not know. It knows: female, male/],
  ['a time without an offset', [sex, alone, column('booked', ['2026-01-31T10:00:00', null], [2], 'BYTES')], /"booked", value 0: .* is not a time with an offset/],
  ['a whole number out of range', [sex, alone, column('age', [1, 300], [2], 'UINT8')], /"age", value 1: 300/],
  ['too few values', [sex, alone, column('age', [1], [2], 'FP64')], /"age" has 1 values where its shape \[2\] says 2/],
] as const)('%s is refused and the column named', (_what, inputs, message) => {
  expect(refusal(() => typedRows(...inputs))).toMatchObject({ status: 422, message: expect.stringMatching(message) as string });
});

test('parameters with text values are attributes; names and lengths that cannot be kept are refused', () => {
  const of = (parameters: Record<string, unknown>) => attributesOf(parseInferenceRequest({ parameters, inputs: [column('age', [1])] }));
  expect(of({ light: 'night', binary_data_output: false, priority: 3 })).toEqual({ light: 'night' });
  expect(refusal(() => of({ 'not a name': 'x' }))).toMatchObject({ status: 422 });
  expect(refusal(() => of({ light: 'x'.repeat(300) }))).toMatchObject({ status: 422 });
});
