import { z } from 'zod';
import type { Ref } from '../../contract/ref.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import { PerennialError } from '../../contract/errors.js';
import { evaluationRows } from '../../runtime/data/evaluation-rows.js';
import type { RowBatch } from '../../runtime/data/evaluation-rows.js';
import { isPixels } from '../../runtime/preprocess.js';
import type { Artifacts } from '../../stores/artifacts.js';
import { readJson } from '../json.js';
import { lowestKeys } from '../lowest-keys.js';
import type { TestRow } from './inference.js';

const Expected = z.array(z.object({ key: z.string(), probabilities: z.array(z.number()) }));

export interface ExpectedRow extends TestRow { readonly probabilities: readonly number[] }

/** `count` test rows with what the evaluation said of them: those whose keys hash lowest, so the same ones each time and from everywhere. */
export async function chooseTestRows(artifacts: Artifacts, expected: Ref, snapshot: LocalSnapshot, count: number): Promise<ExpectedRow[]> {
  const said = new Map(Expected.parse(await readJson(artifacts, expected)).map((row) => [row.key, row.probabilities]));
  const order = lowestKeys(said.keys(), count);
  const { classes } = snapshot.manifest.content.target;
  const rows: ExpectedRow[] = [];
  for await (const batch of evaluationRows(snapshot, 'test')) {
    for (const [index, key] of batch.keys.entries()) {
      const probabilities = order.has(key) ? said.get(key) : undefined;
      if (!probabilities) continue;
      const attributes = z.record(z.string(), z.string()).parse(JSON.parse(batch.attributes[index] ?? '{}'));
      rows.push({ key, actual: classes[batch.actual[index] ?? -1] ?? '', attributes, raw: rawRow(batch, index), probabilities });
    }
  }
  if (rows.length === 0) throw new PerennialError('data/missing', `snapshot ${snapshot.manifest.digest} has no test rows that the evaluation saw`);
  return rows.sort((a, b) => ((order.get(a.key) ?? '') < (order.get(b.key) ?? '') ? -1 : 1));
}

function rawRow({ raw, keys }: RowBatch, row: number): TestRow['raw'] {
  if (!isPixels(raw)) return raw[row] ?? [];
  const width = raw.length / keys.length;
  return Uint8Array.from(raw.subarray(row * width, (row + 1) * width));
}
