import { expect, test } from 'vitest';
import type { Signature } from '../../contract/package.js';
import { ServingError } from '../../serving/errors.js';
import { attributesOf, parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';

const table: Signature = { inputs: ['age', 'fare'].map((name) => ({ name, datatype: 'FP32', shape: [1] })), outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }], classes: ['no', 'yes'] };
const column = (name: string, data: unknown, shape = [2], datatype = 'FP32') => ({ name, shape, datatype, data });
const rows = (...inputs: unknown[]) => rowsOf(parseInferenceRequest({ inputs }), table, 10);
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
  const { count, shape, input } = rows(column('fare', [[7.5], [8]], [2, 1]), column('age', [30, 40], [2], 'INT64'));
  expect({ count, shape }).toEqual({ count: 2, shape: [2] });
  expect([...new Float32Array(input.buffer)]).toEqual([30, 7.5, 40, 8]);
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

test('parameters with text values are attributes; names and lengths that cannot be kept are refused', () => {
  const of = (parameters: Record<string, unknown>) => attributesOf(parseInferenceRequest({ parameters, inputs: [column('age', [1])] }));
  expect(of({ light: 'night', binary_data_output: false, priority: 3 })).toEqual({ light: 'night' });
  expect(refusal(() => of({ 'not a name': 'x' }))).toMatchObject({ status: 422 });
  expect(refusal(() => of({ light: 'x'.repeat(300) }))).toMatchObject({ status: 422 });
});
