import { z } from 'zod';
import type { Ref } from '../../contract/ref.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { SnapshotTarget } from '../../contract/snapshot.js';
import { PerennialError } from '../../contract/errors.js';
import { evaluationRows } from '../../runtime/data/evaluation-rows.js';
import type { RowBatch } from '../../runtime/data/evaluation-rows.js';
import { isPixels } from '../../runtime/preprocess.js';
import type { Artifacts } from '../../stores/artifacts.js';
import { readJson } from '../../stores/json-objects.js';
import { lowestKeys } from '../lowest-keys.js';
import { ExpectedAnswer, numbersOf } from './expected.js';
import type { TestRow } from './inference.js';

/** `expected`: the numbers of the answer, in the order in which a server gives them. */
export interface ExpectedRow extends TestRow { readonly expected: readonly number[] }

/** `count` test rows with what the evaluation said of them: those whose keys hash lowest, so the same ones each time and from everywhere. */
export async function chooseTestRows(artifacts: Artifacts, expected: Ref, snapshot: LocalSnapshot, count: number): Promise<ExpectedRow[]> {
  const said = new Map(z.array(ExpectedAnswer).parse(await readJson(artifacts, expected)).map((row) => [row.key, numbersOf(row)]));
  const order = lowestKeys(said.keys(), count);
  const { target } = snapshot.manifest.content;
  const rows: ExpectedRow[] = [];
  for await (const batch of evaluationRows(snapshot, 'test')) {
    for (const [index, key] of batch.keys.entries()) {
      const numbers = order.has(key) ? said.get(key) : undefined;
      if (!numbers) continue;
      const attributes = z.record(z.string(), z.string()).parse(JSON.parse(batch.attributes[index] ?? '{}'));
      rows.push({ key, actual: labelOf(target, batch.actual[index] ?? NaN), attributes, raw: rawRow(batch, index), expected: numbers });
    }
  }
  if (rows.length === 0) throw new PerennialError('data/missing', `snapshot ${snapshot.manifest.digest} has no test rows that the evaluation saw`);
  return rows.sort((a, b) => ((order.get(a.key) ?? '') < (order.get(b.key) ?? '') ? -1 : 1));
}

function labelOf(target: SnapshotTarget, label: number): TestRow['actual'] {
  return target.task === 'regression' ? label : target.classes[label] ?? '';
}

function rawRow({ raw, keys }: RowBatch, row: number): TestRow['raw'] {
  if (!isPixels(raw)) return raw[row] ?? [];
  const width = raw.length / keys.length;
  return Uint8Array.from(raw.subarray(row * width, (row + 1) * width));
}
