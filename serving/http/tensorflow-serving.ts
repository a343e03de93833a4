import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Arm } from '../../contract/route.js';
import type { PredictAs } from '../access/predict-as.js';
import { ServingError } from '../errors.js';
import { tensorFlowMetadata, tensorFlowStatus } from '../protocol/tensorflow-metadata.js';
import { isMethod, METHODS } from '../protocol/tensorflow-serving.js';
import { findHost } from '../routing/find-host.js';
import type { Which } from '../routing/model-host.js';
import type { Models } from '../routing/models.js';
import { callerOf, mayPredict, type Admission } from './caller.js';
import { traceOf } from './trace.js';
import { versionOf } from './version.js';

export interface TensorFlowServingOptions extends Admission {
  readonly models: Pick<Models, 'get'>;
  readonly predict: PredictAs;
}

/** `M`, `M/versions/V` or `M/labels/L`, with what is asked of it. */
const ADDRESS = /^([^/:]+)(?:\/versions\/([^/:]+)|\/labels\/([^/:]+))?(?::(\w+)|\/(metadata))?$/;
interface Address { readonly model: string; readonly which: Which; readonly verb: string }

/** TensorFlow Serving's REST API, and what KServe's V1 protocol has beside it: the same models, by its addresses and in its shapes. */
export function registerTensorFlowServing(app: FastifyInstance, { models, predict, auth, limits }: TensorFlowServingOptions): void {
  const caller = mayPredict({ auth, limits });

  app.get('/', async () => ({ status: 'alive' })); // KServe's V1 protocol, whose predictions are TensorFlow Serving's
  app.get('/v1/models/*', { onRequest: caller }, async (request) => {
    const { model, which, verb } = addressOf(request);
    const host = findHost(models, model);
    if (verb === 'metadata') {
      const { arm, served } = host.choose(which);
      return tensorFlowMetadata(model, arm.version, served.signature);
    }
    if (verb !== '') throw new ServingError(404, 'There is nothing at this address: GET gives the status of a model, or its metadata.');
    const versions = host.versions(which);
    if (versions.length === 0) host.choose(which); // says why
    return tensorFlowStatus(model, versions);
  });

  app.post('/v1/models/*', { onRequest: caller }, async (request) => {
    const { model, which, verb } = addressOf(request);
    if (!isMethod(verb)) throw new ServingError(404, `There is nothing at this address: POST is to ${Object.keys(METHODS).map((name) => `:${name}`).join(', ')}.`);
    const call = METHODS[verb].read(request.body);
    const prediction = await predict(callerOf(request), model, which, call.toRequest, traceOf(request));
    return call.answer(prediction, prediction.signature);
  });
}

function addressOf(request: FastifyRequest): Address {
  const { '*': path } = request.params as { '*': string };
  const [matched, model = '', version, label, verb, metadata] = ADDRESS.exec(path) ?? [];
  if (matched === undefined) throw new ServingError(404, 'There is nothing at this address; a model is at /v1/models/NAME, /v1/models/NAME/versions/NUMBER or /v1/models/NAME/labels/LABEL.');
  return { model, which: label === undefined ? versionOf(version) : { role: roleOf(label) }, verb: verb ?? metadata ?? '' };
}

/** A version's label is the role that it has in the route. */
function roleOf(label: string): Arm['role'] {
  const role = Arm.shape.role.safeParse(label);
  if (!role.success) throw new ServingError(404, `There is no label "${label.slice(0, 80)}": versions are ${Arm.shape.role.options.join(', ')}.`);
  return role.data;
}
