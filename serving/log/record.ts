import { z } from 'zod';
import { KeptExplanation } from '../../contract/explanation.js';
import { GuardedRow, type Guarded } from '../../contract/guarded.js';
import { Instant } from '../../contract/ref.js';
import { Arm } from '../../contract/route.js';
import type { Answer } from '../../domain/outputs.js';
import { RefusalRecord, type LoggedRefusal } from './refusal.js';

/** What is said about an answered request besides its input bytes. One request holds one prediction per row. */
const shared = {
  v: z.literal(1),
  ids: z.array(z.string()).min(1),
  requestId: z.string(), model: z.string(), version: z.int(), environment: z.string(), role: Arm.shape.role, generation: z.int(), replica: z.string(),
  at: Instant,
  /** Shape of one row's input, without the batch; `[]`: a JSON object of a table's columns. */
  inputShape: z.array(z.int()),
  /** Bytes of each row's input; left out where all have the same. */
  inputBytes: z.array(z.int().min(0)).optional(),
  /** Left out where the input is whole. */
  inputKept: z.enum(['redacted', 'none']).optional(),
  attributes: z.record(z.string(), z.string()),
  latencyMs: z.number(),
  /** Left out by an earlier release. */
  latencyParts: z.strictObject({ prepareMs: z.number(), modelMs: z.number() }).optional(),
  traceId: z.string().optional(),
  /** Who asked: `key:<name>`, or a principal. Left out by an earlier release. */
  caller: z.string().optional(),
  /** Rows that guardrails found something of. */
  guarded: z.array(GuardedRow).optional(),
  /** One for each row, where they were asked for. */
  explanations: z.array(KeptExplanation).optional(),
};
/** The answers, per row in the order of `ids`: classes with their probabilities, or a regression's values; or what of them is kept: classes with the probability of each, or nothing. */
const WHOLE = { classes: z.array(z.string()), probabilities: z.array(z.array(z.number())) };
const VALUES = { values: z.array(z.number()) };
const REDUCED = { outputsKept: z.literal('reduced'), classes: z.array(z.string()), scores: z.array(z.number()).optional() };
const NONE = { outputsKept: z.literal('none') };
const Classified = z.strictObject({ ...shared, ...WHOLE });
const Valued = z.strictObject({ ...shared, ...VALUES });
const Reduced = z.union([z.strictObject({ ...shared, ...REDUCED }), z.strictObject({ ...shared, ...NONE })]);
/** All that a model answered. */
type Planes = z.infer<z.ZodObject<typeof WHOLE>> | z.infer<z.ZodObject<typeof VALUES>>;
export type LoggedOutputs = Planes | z.infer<z.ZodObject<typeof REDUCED>> | z.infer<z.ZodObject<typeof NONE>>;
type Header = z.infer<typeof Classified | typeof Valued | typeof Reduced>;
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An answered request as the prediction log keeps it. `input` holds the rows one after another: UINT8 pixels of pictures, JSON objects of tables. */
export type LoggedRequest = Without<Header, 'v'> & { readonly input: Uint8Array };

/** What a segment holds. */
export type LoggedRecord = LoggedRequest | LoggedRefusal;
export const isRefusal = (record: LoggedRecord): record is LoggedRefusal => 'kind' in record;

const NOTHING = new Uint8Array();

/** A record's bytes: length of the header (uint32, little-endian), header (JSON), input. */
export function encodeRecord(record: LoggedRecord): Buffer[] {
  const [header, input] = isRefusal(record) ? [{ v: 1, ...record } satisfies RefusalRecord, NOTHING] : headerOf(record);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(json.length);
  return [length, json, Buffer.from(input.buffer, input.byteOffset, input.byteLength)];
}

function headerOf({ input, ...header }: LoggedRequest): [Header, Uint8Array] {
  return [{ v: 1, ...header }, input];
}

/** Reads a record back; throws where the bytes are not one. */
export function decodeRecord(payload: Buffer): LoggedRecord {
  const length = payload.readUInt32LE(0);
  if (4 + length > payload.length) throw new RangeError('a record of the prediction log is shorter than its header');
  const { v: _v, ...header } = headerFrom(JSON.parse(payload.toString('utf8', 4, 4 + length)));
  return 'kind' in header ? header : { ...header, input: payload.subarray(4 + length) };
}

/** What it is shows at once; trying one schema after another would cost a log of many records more than all the rest. */
function headerFrom(json: unknown): Header | RefusalRecord {
  const has = (field: string): boolean => typeof json === 'object' && json !== null && field in json;
  if (has('kind')) return RefusalRecord.parse(json);
  if (has('outputsKept')) return Reduced.parse(json);
  return has('values') ? Valued.parse(json) : Classified.parse(json);
}

/** One row of a request, as PostgreSQL keeps it. `input` is a view of the segment's bytes. */
export interface LoggedPrediction {
  id: string; requestId: string; model: string; version: number; environment: string; role: Arm['role']; generation: number; replica: string; at: string;
  input: Uint8Array; inputShape: number[]; attributes: Record<string, string>; outputs: Answer | { class: string; probability?: number } | null; latencyMs: number;
  inputKept: 'whole' | 'redacted' | 'none'; outputsKept: 'whole' | 'reduced' | 'none'; latencyParts: { prepareMs: number; modelMs: number } | null; traceId: string | null; caller: string | null;
  guarded: Guarded | null; explanation: KeptExplanation | null;
}

/** A request's predictions, one per row. */
export function predictionsOf(request: LoggedRequest): LoggedPrediction[] {
  const { ids, input, inputBytes, requestId, model, version, environment, role, generation, replica, at: time, inputShape, attributes, latencyMs, inputKept = 'whole', latencyParts = null, traceId = null, caller = null, guarded = [] } = request;
  const guardedRows = new Map(guarded.map(({ row, ...found }) => [row, found]));
  let at = 0;
  const inputs = ids.map((_, row) => {
    const bytes = inputBytes ? inputBytes[row] ?? 0 : input.byteLength / ids.length;
    at += bytes;
    return input.subarray(at - bytes, at);
  });
  return ids.map((id, row) => ({
    id, requestId, model, version, environment, role, generation, replica, at: time, inputShape, attributes, latencyMs, inputKept, latencyParts, traceId, caller,
    input: inputs[row] ?? NOTHING,
    outputs: answerOf(request, row), guarded: guardedRows.get(row) ?? null, explanation: request.explanations?.[row] ?? null,
    outputsKept: 'outputsKept' in request ? request.outputsKept : 'whole',
  }));
}

function answerOf(request: LoggedRequest, row: number): LoggedPrediction['outputs'] {
  if ('values' in request) return { value: request.values[row] ?? NaN };
  if (!('classes' in request)) return null;
  const name = request.classes[row] ?? '';
  if ('probabilities' in request) return { class: name, probabilities: request.probabilities[row] ?? [] };
  const score = request.scores?.[row];
  return { class: name, ...(score === undefined ? {} : { probability: score }) };
}

/** The answers of a request as its record holds them. A model gives answers of one kind. */
export function planesOf(answers: readonly Answer[]): Planes {
  const values = answers.flatMap((answer) => ('value' in answer ? [answer.value] : []));
  if (values.length > 0) return { values };
  const classes = answers.flatMap((answer) => ('value' in answer ? [] : [answer]));
  return { classes: classes.map((answer) => answer.class), probabilities: classes.map(({ probabilities }) => probabilities) };
}
