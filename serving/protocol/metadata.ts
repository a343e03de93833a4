import { z } from 'zod';
import type { Signature, SignatureInput } from '../../contract/package.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import { Datatype } from './request.js';
import { outputsOf } from './response.js';

/** Answer of `GET /v2`. */
export const ServerMetadata = z.object({ name: z.literal('perennial'), version: z.string(), extensions: z.array(z.string()) });

export const serverMetadata = (version: string): z.infer<typeof ServerMetadata> => ({ name: 'perennial', version, extensions: ['binary_tensor_data'] });

const Tensor = z.object({
  name: z.string(), datatype: Datatype, shape: z.array(z.int()).describe('-1: any size'),
  parameters: z.object({
    type: z.string().optional(), nullable: z.boolean().optional(), allowed: z.array(z.string()).optional().describe('categories; others are refused'),
    resize: z.string().optional(), height: z.int().optional(), width: z.int().optional(),
  }).optional().describe('of a column: its type; of a picture that is resized: to what'),
});
/** Answer of `GET /v2/models/{m}`; `parameters` says what this replica really serves. */
export const ModelMetadata = z.object({
  name: z.string(), versions: z.array(z.string()), platform: z.string(), inputs: z.array(Tensor), outputs: z.array(Tensor.omit({ parameters: true })),
  parameters: z.object({
    version: z.int(), generation: z.int(),
    classes: z.array(z.string()).optional().describe('of a classification'),
    task: z.literal('regression').optional(), target: z.string().optional(),
    lookups: z.array(z.object({ view: z.string(), keys: z.array(z.object({ name: z.string(), datatype: Datatype })), columns: z.array(z.string()) })).optional().describe('columns that may be left out where the request holds the key of a feature view'),
  }),
});

export function modelMetadata(model: string, version: number, generation: number, signature: Signature, versions: readonly number[]): z.infer<typeof ModelMetadata> {
  const lookups = signature.lookups?.map(({ view, keys, columns }) => ({ view, keys: keys.map(({ input, type }) => ({ name: input, datatype: DATATYPES[type] })), columns: columns.map(({ input }) => input) }));
  return {
    name: model, versions: versions.map(String), platform: 'tensorflow_tfjs',
    inputs: signature.inputs.map(inputMetadata),
    outputs: outputsOf(signature).map(({ name, datatype, shape }) => ({ name, datatype, shape: [-1, ...shape] })),
    parameters: { version, generation, ...(lookups ? { lookups } : {}), ...(signature.task === 'regression' ? { task: signature.task, target: signature.target } : { classes: signature.classes }) },
  };
}

function inputMetadata({ name, datatype, shape, type, nullable, allowed, resize }: SignatureInput): z.infer<typeof Tensor> {
  if (resize !== undefined) return { name, datatype, shape: [-1, -1, -1, ...shape.slice(2)], parameters: { resize, height: shape[0], width: shape[1] } };
  if (type === undefined) return { name, datatype, shape: [-1, ...shape] };
  return { name, datatype, shape: [-1, ...shape], parameters: { type, nullable: nullable ?? false, ...(allowed ? { allowed } : {}) } };
}
