import type { CellRow } from '../../domain/cells.js';
import { cellReaderOf } from '../../domain/signature-cells.js';
import type { Exported } from './load.js';

/** Objects of raw values by column as rows in the signature's order, read as servers read them; what is left out is missing. */
export async function readTableRows(rows: readonly unknown[], { signature: { inputs } }: Exported): Promise<readonly CellRow[]> {
  const names = inputs.map(({ name }) => name);
  return rows.map((row, at) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new TypeError(`row ${at}: an object with the columns ${names.join(', ')} is needed`);
    const unknown = Object.keys(row).find((name) => !names.includes(name));
    if (unknown !== undefined) throw new TypeError(`row ${at}: the model knows no column ${unknown}. It takes: ${names.join(', ')}`);
    return inputs.map((input) => {
      const value = (row as Readonly<Record<string, unknown>>)[input.name];
      const found = cellReaderOf(input)(value);
      if ('problem' in found) throw new TypeError(`row ${at}, column ${input.name}: ${JSON.stringify(value) ?? 'nothing'} ${found.problem}`);
      return found.cell;
    });
  });
}
