import { v7 as uuidv7 } from 'uuid';
import { storableText } from '../../stores/values.js';
import type { Asked, ServingError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { PredictionLog } from './prediction-log.js';

export interface RefusalsOptions {
  readonly log: Pick<PredictionLog, 'appendRefusal'>;
  readonly metrics: Pick<Metrics, 'refused'>;
  readonly environment: string;
  readonly replica: string;
}

/** What is known of a refused request where it was answered. */
export interface RefusedRequest { readonly model: string; readonly requestId: string | null; readonly traceId: string | null; readonly latencyMs: number; readonly caller: string | null }

/** Callers that nobody knows, that ask for another host, or for more than their key allows: they are counted only, or whoever can reach the server could fill the log with them. */
const COUNTED_ONLY: ReadonlySet<number> = new Set([401, 421, 429]);
/** Longest name or id of a caller that is kept. */
const LONGEST = 128;
const LONGEST_REASON = 500;

/** Logs requests that were answered with an error: once for each answer, whatever was tried before. */
export function createRefusals({ log, metrics, environment, replica }: RefusalsOptions) {
  return async (request: RefusedRequest, { status, message, asked, caller, guardrails }: ServingError): Promise<void> => {
    metrics.refused(asked?.model ?? null, status);
    if (COUNTED_ONLY.has(status)) return;
    await log.appendRefusal({
      kind: 'refusal', id: uuidv7(), environment, replica, at: new Date().toISOString(), status, reason: asked?.isPrivate === true ? null : storableText(message).slice(0, LONGEST_REASON),
      model: storableText(request.model).slice(0, LONGEST), requestId: storableText(asked?.requestId ?? request.requestId ?? uuidv7()).slice(0, LONGEST), traceId: request.traceId,
      ...chosen(asked), latencyMs: request.latencyMs, caller: request.caller ?? caller ?? null, ...(guardrails ? { guardrails: [...guardrails] } : {}),
    });
  };
}
export type Refuse = ReturnType<typeof createRefusals>;

const chosen = (asked: Asked | undefined) => ({ version: asked?.version ?? null, role: asked?.role ?? null, generation: asked?.generation ?? null, rows: asked?.rows ?? null });
