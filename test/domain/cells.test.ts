import { describe, expect, it } from 'vitest';
import type { ColumnType, TypedColumn } from '../../definition/columns.js';
import { cellOf, decodeRow, encodeRow } from '../../domain/cells.js';

const column = (type: ColumnType, nullable = false): TypedColumn => ({ name: type, type, nullable });

describe('a value of a typed column', () => {
  it('is taken where it is of the type', () => {
    expect(cellOf(column('number'), -0.5)).toBe(-0.5);
    expect(cellOf(column('text'), '')).toBe('');
    expect(cellOf(column('boolean'), false)).toBe(false);
    expect(cellOf(column('time'), '2026-01-31T10:00:00.25+02:00')).toBe('2026-01-31T08:00:00.250Z');
    expect(cellOf(column('time'), '2024-02-29')).toBe('2024-02-29T00:00:00.000Z');
    expect(cellOf(column('text', true), null)).toBeNull();
  });

  it.each([
    ['number', '1'], ['number', NaN], ['number', Infinity], ['number', true], ['text', 1], ['text', 'half \ud83d'], ['boolean', 1], ['boolean', 'true'],
    ['time', 1_700_000_000], ['time', '2026-01-31T08:00:00'], ['time', '2026-02-30'], ['time', '2026-13-01'], ['time', 'yesterday'], ['text', null],
  ] as const)('%s is not %o', (type, value) => { expect(cellOf(column(type), value)).toBeUndefined(); });
});

it('a logged row is read by name, whatever the order of its columns', () => {
  const columns = [column('number'), column('text', true), column('boolean')];
  const bytes = encodeRow(columns, [0.1, null, true]);
  expect(new TextDecoder().decode(bytes)).toBe('{"boolean":true,"number":0.1,"text":null}');
  expect(decodeRow([...columns].reverse(), bytes)).toEqual([true, null, 0.1]);
  expect(decodeRow([column('time')], bytes)).toBeNull();
  expect(decodeRow(columns, Uint8Array.from([0x7b, 0xff]))).toBeNull();
});
