import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jsonSchema } from '../../contract/json-schema.js';
import type { JsonSchema } from '../../contract/json-schema.js';
import { ErrorBody, STATUSES } from '../errors.js';
import { ModelMetadata, ServerMetadata } from '../protocol/metadata.js';
import { InferenceRequest } from '../protocol/request.js';
import { InferenceAnswer } from '../protocol/response.js';
import { StreamAnswer, StreamLine } from '../protocol/stream.js';
import { TensorFlowMetadata, TensorFlowStatus } from '../protocol/tensorflow-metadata.js';
import { METHODS } from '../protocol/tensorflow-serving.js';
import { LabelsAnswer, LabelsBody } from './labels.js';

interface Operation {
  readonly id: string; readonly method: 'get' | 'post'; readonly path: string; readonly summary: string;
  /** False: without a token. */
  readonly open?: boolean;
  readonly query?: Readonly<Record<string, string>>;
  /** Schemas by the type of the content; null: bytes. */
  readonly body?: Readonly<Record<string, z.ZodType | null>>;
  readonly answer: Readonly<Record<string, z.ZodType | null>>;
}

const json = (schema: z.ZodType) => ({ 'application/json': schema });
const v2 = ['/v2/models/{model}', '/v2/models/{model}/versions/{version}'];
const v1 = ['/v1/models/{model}', '/v1/models/{model}/versions/{version}', '/v1/models/{model}/labels/{label}'];
const SUFFIX = ['', 'OfVersion', 'OfLabel'];
const each = (bases: readonly string[], operation: (base: string, suffix: string) => readonly Operation[]) => bases.flatMap((base, at) => operation(base, SUFFIX[at] ?? ''));

const OPERATIONS: readonly Operation[] = [
  { id: 'server', method: 'get', path: '/v2', summary: 'the server', open: true, answer: json(ServerMetadata) },
  { id: 'live', method: 'get', path: '/v2/health/live', summary: 'whether the process answers', open: true, answer: json(z.object({ live: z.literal(true) })) },
  { id: 'ready', method: 'get', path: '/v2/health/ready', summary: 'whether this replica takes traffic; 503 where it does not', open: true, answer: json(z.object({ ready: z.boolean(), short: z.array(z.enum(['memory'])).optional().describe('what it lacks though it takes traffic') })) },
  ...each(v2, (base, suffix): Operation[] => [
    { id: `model${suffix}`, method: 'get', path: base, summary: 'inputs, outputs and versions of a model', answer: json(ModelMetadata) },
    { id: `modelReady${suffix}`, method: 'get', path: `${base}/ready`, summary: 'whether a model answers', answer: json(z.object({ name: z.string(), ready: z.literal(true) })) },
    {
      id: `infer${suffix}`, method: 'post', path: `${base}/infer`, summary: 'a prediction (Open Inference Protocol v2); of a picture alone, `id` and attributes are in the address',
      body: { ...json(InferenceRequest), 'application/octet-stream': null, 'image/png': null, 'image/jpeg': null, 'image/webp': null },
      answer: { ...json(InferenceAnswer), 'application/octet-stream': null },
    },
    {
      id: `stream${suffix}`, method: 'post', path: `${base}/stream`, summary: 'a prediction for each line, in order, as they come; the schemas are of a line',
      query: { first: 'number of the first line that is sent' }, body: { 'application/x-ndjson': StreamLine }, answer: { 'application/x-ndjson': StreamAnswer },
    },
  ]),
  ...each(v1, (base, suffix): Operation[] => [
    { id: `tensorFlowStatus${suffix}`, method: 'get', path: base, summary: 'state of the versions (TensorFlow Serving)', answer: json(TensorFlowStatus) },
    { id: `tensorFlowMetadata${suffix}`, method: 'get', path: `${base}/metadata`, summary: 'the signature (TensorFlow Serving)', answer: json(TensorFlowMetadata) },
    ...Object.entries(METHODS).map(([name, { summary, body, response }]): Operation => ({ id: `${name}${suffix}`, method: 'post', path: `${base}:${name}`, summary: `${summary} (TensorFlow Serving)`, body: json(body), answer: json(response) })),
  ]),
  { id: 'alive', method: 'get', path: '/', summary: 'whether the process answers (KServe V1)', open: true, answer: json(z.object({ status: z.literal('alive') })) },
  { id: 'labels', method: 'post', path: '/v1/labels', summary: 'true classes or values of predictions; needs the scope `label`', body: json(LabelsBody), answer: json(LabelsAnswer) },
  { id: 'metrics', method: 'get', path: '/metrics', summary: 'counters, latencies and the lag of the prediction log, in Prometheus\'s text format', open: true, answer: { 'text/plain': null } },
  { id: 'openApi', method: 'get', path: '/openapi.json', summary: 'this document', open: true, answer: json(z.looseObject({ openapi: z.string() })) },
];

const PARAMETERS: Readonly<Record<string, string>> = { model: 'name of the model', version: 'one that the route names', label: 'role of a version in the route: live or canary' };

/** The OpenAPI 3.1 document, from the schemas by which requests are really read and answers are typed. */
export function openApiDocument(version: string): JsonSchema {
  const paths: Record<string, JsonSchema> = {};
  for (const operation of OPERATIONS) (paths[operation.path] ??= {})[operation.method] = operationObject(operation);
  return {
    openapi: '3.1.0',
    info: { title: 'Perennial prediction server', version, description: 'Open Inference Protocol v2 and TensorFlow Serving\'s REST API, for the same models; labels. Binary tensors are those of the extension binary_tensor_data.' },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(ErrorBody, 'output') },
      responses: Object.fromEntries(Object.entries(STATUSES).map(([status, description]) => [`Error${status}`, { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } }])),
    },
  };
}

function operationObject({ id, path, summary, open = false, query = {}, body, answer }: Operation): JsonSchema {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, description: PARAMETERS[name] ?? name, schema: { type: 'string' } }));
  const inQuery = Object.entries(query).map(([name, description]) => ({ name, in: 'query', required: false, description, schema: { type: 'string' } }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: id, summary, security: open ? [] : [{ token: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: contentOf(body, 'input') } } : {}),
    responses: {
      200: { description: 'done', content: contentOf(answer, 'output') },
      ...(open ? {} : Object.fromEntries(Object.keys(STATUSES).map((status) => [status, { $ref: `#/components/responses/Error${status}` }]))),
    },
  };
}

const contentOf = (schemas: Readonly<Record<string, z.ZodType | null>>, io: 'input' | 'output'): JsonSchema =>
  Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema: schema ? jsonSchema(schema, io) : {} }]));

/** `GET /openapi.json`, without a token. */
export function registerOpenApi(app: FastifyInstance, version: string): void {
  const document = openApiDocument(version);
  app.get('/openapi.json', async () => document);
}
