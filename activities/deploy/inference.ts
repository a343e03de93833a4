import { z } from 'zod';
import { columnNames } from '../../definition/columns.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';

export interface TestRow { readonly key: string; readonly actual: string; readonly attributes: Readonly<Record<string, string>>; /** a picture's bytes or a table's numbers */ readonly raw: ArrayLike<number> }

/** Body of an inference request (Open Inference Protocol v2) for one row. */
export function inferenceBody(row: TestRow, content: SnapshotManifest['content']): Buffer {
  const values = Array.from(row.raw);
  const inputs = content.image
    ? [{ name: content.image.name, shape: [1, content.image.height, content.image.width, content.image.channels], datatype: 'UINT8', data: values }]
    : columnNames(content.columns ?? []).map((name, column) => ({ name, shape: [1], datatype: 'FP32', data: [values[column]] }));
  return Buffer.from(JSON.stringify({ id: `test/${row.key}`.slice(0, 128), parameters: row.attributes, inputs }));
}

const Inference = z.object({
  model_version: z.string(),
  outputs: z.tuple([z.object({ name: z.literal('probabilities'), data: z.array(z.number()) }), z.object({ name: z.literal('class'), data: z.array(z.string()).length(1) })]),
});

/** What a server answered for one row. Throws where the answer does not have the protocol's form. */
export function readInference(body: string): { version: number; probabilities: readonly number[]; class: string } {
  const { model_version: version, outputs: [probabilities, classes] } = Inference.parse(JSON.parse(body));
  return { version: Number(version), probabilities: probabilities.data, class: classes.data[0] ?? '' };
}
