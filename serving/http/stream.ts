import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PredictAs } from '../access/predict-as.js';
import { asServingError, errorBody, ServingError } from '../errors.js';
import type { Refuse } from '../log/refusals.js';
import type { OnProblem } from '../problem.js';
import { inOrder } from '../protocol/in-order.js';
import { linesOf, type Line } from '../protocol/lines.js';
import { inferenceResponse } from '../protocol/response.js';
import { readLine, type ReadLine, type StreamAnswer } from '../protocol/stream.js';
import { findHost } from '../routing/find-host.js';
import type { Models } from '../routing/models.js';
import { mayPredict, type Admission } from './caller.js';
import { problemOf, traceOf } from './trace.js';
import { versionOf } from './version.js';

export interface StreamOptions extends Admission {
  readonly models: Pick<Models, 'get'>;
  readonly predict: PredictAs;
  readonly refuse: Refuse;
  /** Longest line; also the bytes of all lines that are worked on at once. */
  readonly lineBytes: number;
  readonly onProblem: OnProblem;
}

/** As many as a batch holds: one stream alone keeps the model busy. */
const LINES_AT_ONCE = 32;
/** A stream in which nothing moves for this long is ended. */
const IDLE_MS = 300_000;
/** How often a line is asked again that met a full queue or a runner that was just being started again. */
const TRIES = 6;
/** A line beyond its key's rate waits: the stream goes as fast as the key allows. One that would wait longer (for another day) is refused. */
const PACED_SECONDS = 60;

/** `POST …/stream`: a request a line, an answer a line, in order, as they come (NDJSON). */
export function registerStream(app: FastifyInstance, { models, predict, auth, limits, refuse, lineBytes, onProblem }: StreamOptions): void {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // every line that waits listens
  app.addHook('preClose', async () => { stopping.abort(); });

  async function answered(request: FastifyRequest, model: string, version: number | null, { number, bytes }: Line): Promise<StreamAnswer> {
    let line: ReadLine | null = null;
    const startedAt = performance.now();
    const traceId = traceOf(request);
    for (let attempt = 1; ;) {
      try {
        const caller = await auth.require(request.headers.authorization, 'predict', model); // a stream may outlive its token or key
        line ??= readLine(bytes);
        const prediction = await predict(caller, model, version, line.toRequest, traceId);
        return { line: number, ...inferenceResponse(prediction, prediction.signature, prediction.wanted) };
      } catch (error) {
        const refused = asServingError(error);
        const { status, message, retryAfter, cause } = refused;
        const mayWait = status === 503 ? attempt < TRIES : status === 429 && (retryAfter ?? Infinity) <= PACED_SECONDS;
        if (mayWait && retryAfter !== undefined && !stopping.signal.aborted && !request.raw.socket.destroyed) {
          if (status === 503) attempt += 1;
          await sleep(retryAfter * 1_000, undefined, { signal: stopping.signal }).catch(() => undefined); // a server that stops asks once more at once
          continue;
        }
        if (status >= 500 && cause !== undefined) onProblem(message, cause, problemOf(request, refused));
        await refuse({ model, requestId: line?.id ?? null, traceId, latencyMs: performance.now() - startedAt, caller: request.caller?.principal ?? null }, refused);
        return { line: number, ...(line?.id === undefined ? {} : { id: line.id }), status, ...errorBody(refused) };
      }
    }
  }

  async function* answers(request: FastifyRequest, model: string, version: number | null, first: number): AsyncGenerator<string> {
    let next = first;
    const write = (answer: StreamAnswer) => `${JSON.stringify(answer)}\n`;
    try {
      // What is left of a stream that ends early is thrown away only when the last answer is written: see below.
      const lines = linesOf(request.raw.iterator({ destroyOnReturn: false }), { first, longest: lineBytes });
      for await (const answer of inOrder(lines, (line) => answered(request, model, version, line), { lines: LINES_AT_ONCE, bytes: lineBytes }, stopping.signal)) {
        yield write(answer);
        next = answer.line + 1;
      }
      if (stopping.signal.aborted) yield write({ line: next, status: 503, error: 'The server is stopping: go on from this line.' });
    } catch (error) {
      if (!(error instanceof ServingError)) throw error; // the client is gone
      await refuse({ model, requestId: null, traceId: traceOf(request), latencyMs: 0, caller: request.caller?.principal ?? null }, error);
      yield write({ line: next, status: error.status, error: error.message });
    }
  }

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { model, version } = request.params as { model: string; version?: string };
    const number = versionOf(version);
    findHost(models, model).choose(number);
    const first = firstOf(request);
    reply.hijack();
    const { raw } = reply;
    request.raw.setTimeout(IDLE_MS, () => { request.raw.destroy(); });
    raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    raw.flushHeaders(); // a client may wait for them before it sends its first line
    try {
      await pipeline(Readable.from(answers(request, model, number, first), { objectMode: true, highWaterMark: 1 }), raw);
    } catch {
      raw.destroy(); // the client is gone: there is nobody to tell
    }
    if (!request.raw.readableEnded) request.raw.destroy(); // nothing more of it will be read
  };

  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(['application/x-ndjson', 'application/ndjson', 'application/jsonl'], (_request, body, parsed) => { parsed(null, body); });
    for (const base of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
      scope.post(`${base}/stream`, { onRequest: mayPredict({ auth, limits }) }, handle);
    }
    done();
  });
}

/** `?first=1001`: the number of the first line that is sent. */
function firstOf({ query }: FastifyRequest): number {
  const { first = '1' } = query as { first?: string };
  if (!/^[1-9]\d{0,14}$/.test(first)) throw new ServingError(400, '`first` is the number of the first line that is sent, from 1 on.');
  return Number(first);
}
