import type { FastifyInstance } from 'fastify';
import type { PredictAs } from '../access/predict-as.js';
import type { Refuse } from '../log/refusals.js';
import type { OnProblem } from '../problem.js';
import type { Models } from '../routing/models.js';
import type { Authenticator } from '../auth.js';
import type { KeyLimits } from '../access/key-limits.js';
import { registerLabels, type LabelsOptions } from './labels.js';
import { registerOpenApi } from './openapi.js';
import { registerStream } from './stream.js';
import { registerTensorFlowServing } from './tensorflow-serving.js';
import { registerV2, type V2Options } from './v2.js';

export interface AddressesOptions extends Pick<V2Options, 'ready' | 'shortages' | 'onProbed' | 'softwareVersion'> {
  readonly models: Models;
  readonly predict: PredictAs;
  readonly auth: Authenticator;
  readonly limits: KeyLimits;
  readonly stores: LabelsOptions['stores'];
  readonly refuse: Refuse;
  /** Longest line of a stream, in bytes. */
  readonly lineBytes: number;
  /** Prometheus's text, of all of a replica's processes. */
  readonly metrics: () => Promise<string> | string;
  readonly onProblem: OnProblem;
}

/** All that may be asked of a prediction server. */
export function registerAddresses(app: FastifyInstance, { models, predict, auth, limits, stores, refuse, lineBytes, metrics, onProblem, ...of }: AddressesOptions): void {
  registerV2(app, { models, predict, auth, limits, ...of });
  registerTensorFlowServing(app, { models, predict, auth, limits });
  registerStream(app, { models, predict, auth, limits, refuse, lineBytes, onProblem });
  registerOpenApi(app, of.softwareVersion);
  registerLabels(app, { models, stores, auth });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await metrics()));
}
