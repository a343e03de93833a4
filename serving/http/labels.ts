import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PerennialError } from '../../contract/errors.js';
import { Instant } from '../../contract/ref.js';
import type { Stores } from '../../stores/index.js';
import type { Authenticator } from '../auth.js';
import { ServingError } from '../errors.js';
import { describeIssues } from '../protocol/request.js';
import type { Models } from '../routing/models.js';

const Label = z.strictObject({
  prediction: z.uuid().optional(),
  request: z.string().min(1).max(128).optional(),
  label: z.string().min(1).max(63),
  /** When it was found out; now unless told. */
  at: Instant.optional(),
  /** Needed only where the environment serves several models and the prediction is not in PostgreSQL yet. */
  model: z.string().optional(),
}).refine((label) => (label.prediction === undefined) !== (label.request === undefined), 'give `prediction` or `request`, one of them');
const Body = z.strictObject({ labels: z.array(Label).min(1).max(10_000) });
type Label = z.infer<typeof Label>;

export interface LabelsOptions {
  readonly models: Pick<Models, 'get' | 'all'>;
  readonly stores: Pick<Stores, 'labels' | 'predictions'>;
  readonly auth: Authenticator;
}

/** `POST /v1/labels`: true classes, also of predictions that are still on their way to PostgreSQL. All are taken or none. */
export function registerLabels(app: FastifyInstance, { models, stores, auth }: LabelsOptions): void {
  async function modelOf(label: Label): Promise<string> {
    if (label.model !== undefined) return label.model;
    const [only, ...others] = models.all().keys();
    if (only !== undefined && others.length === 0) return only;
    const found = label.prediction === undefined ? null : await stores.predictions.get(label.prediction);
    if (!found) throw new ServingError(422, `This server serves several models: say of which one label "${label.label}" is, with "model".`);
    return found.model;
  }

  function requireClass(model: string, label: string): void {
    const host = models.get(model);
    if (!host) throw new ServingError(404, `Model ${model.slice(0, 80)} is not served here.`);
    const { classes } = host.choose(null).served.signature;
    if (!classes.includes(label)) throw new ServingError(422, `"${label}" is not a class of ${model}: ${classes.slice(0, 20).join(', ')}.`);
  }

  app.post('/v1/labels', async (request) => {
    const { principal } = await auth.require(request.headers.authorization, 'label');
    const body = Body.safeParse(request.body);
    if (!body.success) throw new ServingError(400, `The body holds no labels: ${describeIssues(body.error)}`);
    const now = new Date().toISOString();
    try {
      const labels = await Promise.all(body.data.labels.map(async (label) => {
        const model = await modelOf(label);
        requireClass(model, label.label);
        return { predictionId: label.prediction ?? null, requestId: label.request ?? null, model, label: label.label, by: principal, at: label.at ?? now };
      }));
      const { accepted, unknown, changed } = await stores.labels.add(labels);
      return { accepted, waiting: unknown, changed };
    } catch (error) {
      if (error instanceof PerennialError && error.retryable) throw new ServingError(503, 'Labels cannot be kept at the moment; none of these was.', { retryAfter: 2, cause: error });
      throw error;
    }
  });
}
