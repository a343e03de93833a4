import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PerennialError } from '../../contract/errors.js';
import { Instant } from '../../contract/ref.js';
import type { Stores } from '../../stores/index.js';
import type { Authenticator } from '../auth.js';
import { ServingError } from '../errors.js';
import { describeIssues } from '../protocol/request.js';
import { findHost } from '../routing/find-host.js';
import type { Models } from '../routing/models.js';

const Label = z.strictObject({
  prediction: z.uuid().optional(),
  request: z.string().min(1).max(128).optional(),
  /** The true class, or a number. */
  label: z.union([z.string().min(1).max(63), z.number()]),
  /** When it was found out; now unless told. */
  at: Instant.optional(),
  /** Needed only where the environment serves several models and the prediction is not in PostgreSQL yet. */
  model: z.string().optional(),
}).refine((label) => (label.prediction === undefined) !== (label.request === undefined), 'give `prediction` or `request`, one of them');
/** Body of `POST /v1/labels`. */
export const LabelsBody = z.strictObject({ labels: z.array(Label).min(1).max(10_000) });
type Label = z.infer<typeof Label>;
export const LabelsAnswer = z.object({ accepted: z.int(), waiting: z.array(z.string()).describe('those whose prediction is not in PostgreSQL yet'), changed: z.int(), removed: z.array(z.string()).optional().describe('those whose prediction is so old that it is in S3 alone: the label is kept, and counts for nothing') });

/** A number as people and programs write it; NaN for any other text. */
function numberIn(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

export interface LabelsOptions {
  readonly models: Pick<Models, 'get' | 'all'>;
  readonly stores: Pick<Stores, 'labels' | 'predictions'>;
  readonly auth: Authenticator;
}

/** `POST /v1/labels`: true classes or values, also of predictions that are still on their way to PostgreSQL. All are taken or none. */
export function registerLabels(app: FastifyInstance, { models, stores, auth }: LabelsOptions): void {
  async function modelOf(label: Label): Promise<string> {
    if (label.model !== undefined) return label.model;
    const [only, ...others] = models.all().keys();
    if (only !== undefined && others.length === 0) return only;
    const found = label.prediction === undefined ? null : await stores.predictions.get(label.prediction);
    if (!found) throw new ServingError(422, `This server serves several models: say of which one label "${label.label}" is, with "model".`);
    return found.model;
  }

  /** The label as it is kept: a class of the model, or the shortest text of a number. */
  function keptLabel(model: string, label: string | number): string {
    const { signature } = findHost(models, model).choose(null).served;
    if (signature.task === 'regression') {
      const value = typeof label === 'number' ? label : numberIn(label);
      if (!Number.isFinite(value)) throw new ServingError(422, `"${label}" is not a finite number, as ${signature.target} of ${model} has to be.`);
      return String(value + 0);
    }
    const { classes } = signature;
    if (typeof label !== 'string' || !classes.includes(label)) throw new ServingError(422, `"${label}" is not a class of ${model}: ${classes.slice(0, 20).join(', ')}.`);
    return label;
  }

  app.post('/v1/labels', async (request) => {
    const caller = await auth.require(request.headers.authorization, 'label', null);
    const body = LabelsBody.safeParse(request.body);
    if (!body.success) throw new ServingError(400, `The body holds no labels: ${describeIssues(body.error)}`);
    const now = new Date().toISOString();
    try {
      const labels = await Promise.all(body.data.labels.map(async (label) => {
        const model = await modelOf(label);
        auth.requireModel(caller, model);
        return { predictionId: label.prediction ?? null, requestId: label.request ?? null, model, label: keptLabel(model, label.label), by: caller.principal, at: label.at ?? now };
      }));
      const { accepted, unknown, removed, changed } = await stores.labels.add(labels);
      return { accepted, waiting: unknown, changed, ...(removed.length > 0 ? { removed } : {}) };
    } catch (error) {
      if (error instanceof PerennialError && error.retryable) throw new ServingError(503, 'Labels cannot be kept at the moment; none of these was.', { retryAfter: 2, cause: error });
      throw error;
    }
  });
}
