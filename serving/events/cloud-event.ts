import type { DueEvent } from '../../stores/prediction-events.js';

/** Type of the events; another meaning of `data` would get another number. */
export const EVENT_TYPE = 'perennial.prediction.v1';

/**
 * A prediction as a CloudEvent (CloudEvents 1.0.2, JSON format). `data` holds what the log holds, so what the definition's policy keeps out of the log is not in it; pictures, and rows
 * or outputs that are large, are named by their size and digest instead (`omitted`).
 */
export function cloudEventOf(due: DueEvent) {
  const { seq: _seq, input, inputKept, inputBytes, inputDigest, outputs, outputsKept, outputsFit, role, id, at, traceId, ...data } = due;
  const { environment, model, version } = data;
  return {
    specversion: '1.0', id, type: EVENT_TYPE, source: `/environments/${environment}/models/${model}`, subject: `${model}@${version}`, time: at, datacontenttype: 'application/json',
    // Distributed Tracing extension. The span is the prediction's own: the last 64 bits of its id; whether the caller samples is not known.
    ...(traceId === null ? {} : { traceparent: `00-${traceId}-${id.replaceAll('-', '').slice(16)}-00` }),
    data: {
      prediction: id, ...data, arm: role,
      ...(input === null ? { inputKept: inputKept === 'none' ? inputKept : 'omitted', inputBytes, inputDigest } : { inputKept, input: JSON.parse(Buffer.from(input).toString('utf8')) as unknown }),
      outputs, outputsKept: outputsFit ? outputsKept : 'omitted',
    },
  };
}

/** Media type of several events in one body (HTTP protocol binding, batched content mode). */
export const BATCH_TYPE = 'application/cloudevents-batch+json; charset=utf-8';
