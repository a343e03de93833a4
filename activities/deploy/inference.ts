import { z } from 'zod';
import { typedColumns } from '../../definition/columns.js';
import type { CellRow } from '../../domain/cells.js';
import type { Answer } from '../../domain/outputs.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';

export interface TestRow { readonly key: string; readonly actual: string | number; readonly attributes: Readonly<Record<string, string>>; /** a picture's bytes or the values of a table's columns */ readonly raw: Uint8Array | CellRow }

/** Body of an inference request (Open Inference Protocol v2) for one row. */
export function inferenceBody(row: TestRow, content: SnapshotManifest['content']): Buffer {
  const values = Array.from(row.raw);
  const inputs = content.image
    ? [{ name: content.image.name, shape: [1, content.image.height, content.image.width, content.image.channels], datatype: 'UINT8', data: values }]
    : typedColumns(content.columns ?? []).map(({ name, type }, column) => ({ name, shape: [1], datatype: DATATYPES[type], data: [values[column] ?? null] }));
  return Buffer.from(JSON.stringify({ id: `test/${row.key}`.slice(0, 128), parameters: row.attributes, inputs }));
}

const Inference = z.object({
  model_version: z.string(),
  outputs: z.union([
    z.tuple([z.object({ name: z.literal('probabilities'), data: z.array(z.number()) }), z.object({ name: z.literal('class'), data: z.array(z.string()).length(1) })]),
    z.tuple([z.object({ name: z.literal('value'), data: z.tuple([z.number()]) })]),
  ]),
});

/** What a server answered for one row. Throws where the answer does not have the protocol's form. */
export function readInference(body: string): { readonly version: number; readonly answer: Answer } {
  const { model_version: version, outputs: [first, second] } = Inference.parse(JSON.parse(body));
  return { version: Number(version), answer: first.name === 'value' ? { value: first.data[0] } : { probabilities: first.data, class: second?.data[0] ?? '' } };
}
