import type { DueEvent } from '../../stores/prediction-events.js';

/** Types of the events; another meaning of `data` would get another number. */
export const EVENT_TYPES = { prediction: 'perennial.prediction.v1', refusal: 'perennial.refusal.v1' } as const satisfies Record<DueEvent['kind'], string>;

type Due<K extends DueEvent['kind']> = Extract<DueEvent, { kind: K }>;

/**
 * A prediction, or a refusal, as a CloudEvent (CloudEvents 1.0.2, JSON format). `data` holds what the log holds, so what the definition's policy keeps out of the log is not in it; pictures, and rows
 * or outputs that are large, are named by their size and digest instead (`omitted`).
 */
export function cloudEventOf(due: DueEvent) {
  const { kind, id, at, traceId, environment, model, version } = due;
  return {
    // A refused request may have named any model.
    specversion: '1.0', id, type: EVENT_TYPES[kind], source: `/environments/${environment}/models/${encodeURIComponent(model)}`,
    ...(version === null ? (model === '' ? {} : { subject: model }) : { subject: `${model}@${version}` }), time: at, datacontenttype: 'application/json',
    // Distributed Tracing extension. The span is the event's own: the last 64 bits of its id; whether the caller samples is not known.
    ...(traceId === null ? {} : { traceparent: `00-${traceId}-${id.replaceAll('-', '').slice(16)}-00` }),
    data: kind === 'prediction' ? predictionData(due) : refusalData(due),
  };
}

function predictionData({ kind: _kind, seq: _seq, id, at: _at, traceId: _traceId, input, inputKept, inputBytes, inputDigest, outputs, outputsKept, outputsFit, guarded, guardedFits, explanation, explanationFits, role, ...data }: Due<'prediction'>) {
  const omitted = [...(guardedFits ? [] : ['guarded.instead.own']), ...(explanationFits ? [] : ['explanation.attributions'])];
  return {
    prediction: id, ...data, arm: role,
    ...(input === null ? { inputKept: inputKept === 'none' ? inputKept : 'omitted', inputBytes, inputDigest } : { inputKept, input: JSON.parse(Buffer.from(input).toString('utf8')) as unknown }),
    outputs, outputsKept: outputsFit ? outputsKept : 'omitted',
    ...(guarded ? { guarded } : {}), ...(explanation ? { explanation } : {}), ...(omitted.length === 0 ? {} : { omitted }),
  };
}

function refusalData({ kind: _kind, seq: _seq, id, at: _at, traceId: _traceId, role, guardrails, ...data }: Due<'refusal'>) {
  return { refusal: id, ...data, arm: role, ...(guardrails ? { guardrails } : {}) };
}

/** Media type of several events in one body (HTTP protocol binding, batched content mode). */
export const BATCH_TYPE = 'application/cloudevents-batch+json; charset=utf-8';
