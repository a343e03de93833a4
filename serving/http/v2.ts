import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PredictAs } from '../access/predict-as.js';
import { ServingError } from '../errors.js';
import { encodeBinaryAnswer, HEADER_LENGTH } from '../protocol/binary.js';
import { binaryOutputs, parseInferenceRequest, type ReadRequest } from '../protocol/request.js';
import { PictureBody, requestOfPicture } from '../protocol/pictures.js';
import { modelMetadata, serverMetadata } from '../protocol/metadata.js';
import { inferenceResponse } from '../protocol/response.js';
import { findHost } from '../routing/find-host.js';
import type { Models } from '../routing/models.js';
import { callerOf, mayPredict, type Admission } from './caller.js';
import { traceOf } from './trace.js';
import { versionOf } from './version.js';

export interface V2Options extends Admission {
  readonly models: Pick<Models, 'get' | 'all'>;
  readonly predict: PredictAs;
  /** True once this replica takes traffic. */
  readonly ready: () => boolean;
  /** What a replica that takes traffic lacks all the same; names, for whoever asks whether it is ready. */
  readonly shortages: () => string[];
  /** Somebody asks for it. */
  readonly onProbed: () => void;
  readonly softwareVersion: string;
}

interface Path { model: string; version?: string }

/** Open Inference Protocol v2, REST. */
export function registerV2(app: FastifyInstance, { models, predict, auth, limits, ready, shortages, onProbed, softwareVersion }: V2Options): void {
  const find = (request: FastifyRequest) => {
    const { model, version } = request.params as Path;
    return { model, host: findHost(models, model), version: versionOf(version) };
  };
  const caller = mayPredict({ auth, limits });

  app.get('/v2', async () => serverMetadata(softwareVersion));
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    onProbed();
    return reply.code(ready() ? 200 : 503).send({ ready: ready(), ...(shortages().length > 0 ? { short: shortages() } : {}) });
  });

  for (const base of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(base, { onRequest: caller }, async (request) => {
      const { model, host, version } = find(request);
      const { served, arm, route } = host.choose(version);
      return modelMetadata(model, arm.version, route.generation, served.signature, route.arms.map((one) => one.version));
    });
    app.get(`${base}/ready`, { onRequest: caller }, async (request) => {
      const { model, host, version } = find(request);
      if (!host.choose(version).served.ready) throw new ServingError(409, `Model ${model} is being restarted.`, { retryAfter: 1 });
      return { name: model, ready: true };
    });
    app.post(`${base}/infer`, { onRequest: caller }, async (request, reply) => {
      const { model, version } = request.params as Path;
      const prediction = await predict(callerOf(request), model, versionOf(version), readerOf(request), traceOf(request));
      const answer = inferenceResponse(prediction, prediction.signature, prediction.wanted);
      const binary = binaryOutputs(prediction.request, prediction.wanted);
      if (binary.size === 0) return answer;
      const { headerLength, body } = encodeBinaryAnswer(answer, binary);
      return reply.header(HEADER_LENGTH, String(headerLength)).type('application/octet-stream').send(body);
    });
  }
}

/** What the body asks: JSON, JSON and tensors, or a picture, whose id and attributes are in the address. */
function readerOf({ body, query }: FastifyRequest): ReadRequest {
  if (!(body instanceof PictureBody)) return () => parseInferenceRequest(body);
  const { id, explain, ...attributes } = query as Record<string, unknown>;
  const parameters = { ...attributes, ...(explain === undefined ? {} : { explain: explain === 'true' ? true : explain === 'false' ? false : explain }) };
  return (signature) => parseInferenceRequest({ ...requestOfPicture(body, signature), ...(id === undefined ? {} : { id }), parameters });
}
