import { z } from 'zod';
import type { Signature } from '../../contract/package.js';
import { outputsOf } from './response.js';
import { SERVING_DEFAULT } from './tensorflow-serving.js';

/** TensorFlow's names of datatypes (`DataType` of types.proto). */
const DTYPES = { UINT8: 'DT_UINT8', FP32: 'DT_FLOAT', FP64: 'DT_DOUBLE', BOOL: 'DT_BOOL', BYTES: 'DT_STRING' } as const;

const Tensor = z.object({
  dtype: z.enum(DTYPES), name: z.string(),
  tensor_shape: z.object({ dim: z.array(z.object({ size: z.string(), name: z.string() })), unknown_rank: z.boolean() }),
});
const Tensors = z.record(z.string(), Tensor);

/** Answer of `GET /v1/models/{m}/metadata`: the model's one signature. */
export const TensorFlowMetadata = z.object({
  model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
  metadata: z.object({ signature_def: z.object({ signature_def: z.record(z.string(), z.object({ inputs: Tensors, outputs: Tensors, method_name: z.string(), defaults: z.object({}) })) }) }),
});

export function tensorFlowMetadata(model: string, version: number, signature: Signature): z.infer<typeof TensorFlowMetadata> {
  const inputs = signature.inputs.map(({ name, datatype, shape, resize }) => [name, tensor(name, datatype, resize === undefined ? [-1, ...shape] : [-1, -1, -1, ...shape.slice(2)])] as const);
  const outputs = outputsOf(signature).map(({ name, datatype, shape }) => [name, tensor(name, datatype, [-1, ...shape])] as const);
  const definition = { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs), method_name: 'tensorflow/serving/predict', defaults: {} };
  return { model_spec: { name: model, signature_name: '', version: String(version) }, metadata: { signature_def: { signature_def: { [SERVING_DEFAULT]: definition } } } };
}

function tensor(name: string, datatype: keyof typeof DTYPES, shape: readonly number[]): z.infer<typeof Tensor> {
  return { dtype: DTYPES[datatype], tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false }, name };
}

/** Answer of `GET /v1/models/{m}`: each version that the route names; `name` and `ready` are what KServe's V1 protocol has at the same address. */
export const TensorFlowStatus = z.object({
  name: z.string(), ready: z.boolean().describe('whether one of them answers'),
  model_version_status: z.array(z.object({ version: z.string(), state: z.enum(['LOADING', 'AVAILABLE']), status: z.object({ error_code: z.literal('OK'), error_message: z.literal('') }) })),
});

export function tensorFlowStatus(model: string, versions: readonly { readonly version: number; readonly ready: boolean }[]): z.infer<typeof TensorFlowStatus> {
  return { name: model, ready: versions.some(({ ready }) => ready), model_version_status: versions.map(({ version, ready }) => ({ version: String(version), state: ready ? 'AVAILABLE' : 'LOADING', status: { error_code: 'OK', error_message: '' } })) };
}
