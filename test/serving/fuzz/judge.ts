import { z } from 'zod';
import type { FuzzRequest } from './request.js';
import type { RawAnswer } from './send.js';

/** What an answer says was done: predictions that the log must hold, and refusals by how many it must hold. */
export interface Account { readonly predictions: readonly string[]; readonly refusals: number }
const NOTHING: Account = { predictions: [], refusals: 0 };

/** What nobody outside may be shown: stacks, files, names of classes and of libraries. */
const INTERNALS = /\n\s+at |node:|node_modules|\.(ts|js|mjs)\b|\/(work|home|usr|var|tmp|root)\/|\b[A-Z]\w*(Error|Exception)\b|FST_|ERR_|HPE_|ECONN|\bzod\b|nonoptional|Cannot read|is not a function|undefined|\[object /;
const LONGEST = 2_000;
/** These are counted only. */
const NOT_LOGGED = new Set([401, 421, 429]);
const PREDICTS = /^\/(v2\/models\/[^/?#]{1,200}(\/versions\/[^/?#]+)?\/(infer|stream)|v1\/models\/[^?#]*)(\?|#|;|$)/;
/** What no route answered. */
const NOWHERE = 'There is nothing at this address; see GET /v2.';

const Problem = z.strictObject({ error: z.string().min(1).max(LONGEST) });
const Parameters = z.looseObject({ prediction_ids: z.array(z.uuid()).min(1) });
const Tensor = z.looseObject({ name: z.string(), shape: z.array(z.int()), datatype: z.string(), data: z.array(z.union([z.number(), z.string()])).optional(), parameters: z.object({ binary_data_size: z.int() }).optional() });
const Inference = z.looseObject({ parameters: Parameters, outputs: z.array(Tensor).min(1) });
const TensorFlow = z.looseObject({ parameters: Parameters });
const Line = z.union([Inference.extend({ line: z.int() }), z.strictObject({ line: z.int(), id: z.string().optional(), status: z.int(), error: z.string().min(1).max(LONGEST) })]);

/** Throws unless the answer is one that a client can live with; says what it has to have left in the log. */
export function judge(request: FuzzRequest, answer: RawAnswer | null): Account {
  if (answer === null) {
    if (request.mayGoUnanswered) return NOTHING;
    throw new Error('the connection was closed without an answer');
  }
  const { status, body, headers } = answer;
  if (status >= 500) failUnlessInjected(request, status, body.toString());
  if (request.method === 'HEAD') return NOTHING;
  if (status >= 400) {
    const { error } = checkedProblem(body, headers);
    return { predictions: [], refusals: isLogged(request, answer, error) ? 1 : 0 };
  }
  if (status !== 200) throw new Error(`status ${status}`);
  const type = headers.get('content-type') ?? '';
  if (type.startsWith('application/x-ndjson')) return ofStream(request, body.toString());
  if (type.startsWith('application/octet-stream')) return ofBinary(body, Number(headers.get('inference-header-content-length')));
  if (!type.startsWith('application/json')) return NOTHING; // metrics
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== 'object' || value === null || !('parameters' in value)) return NOTHING;
  return { predictions: 'outputs' in value && 'model_name' in value ? checkedTensors(Inference.parse(value)) : checkedNumbers(TensorFlow.parse(value), body.toString()), refusals: 0 };
}

function failUnlessInjected(request: FuzzRequest, status: number, text: string): void {
  if (request.hurried && (status === 504 || status === 503)) return;
  if (status === 503 && request.target.startsWith('/v2/health/')) return;
  throw new Error(`status ${status}: ${text.slice(0, 500)}`);
}

function checkedProblem(body: Buffer, headers: ReadonlyMap<string, string>): z.infer<typeof Problem> {
  const text = body.toString();
  if (headers.get('content-type')?.startsWith('application/json') !== true) throw new Error(`a problem of type ${headers.get('content-type')}: ${text.slice(0, 200)}`);
  const problem = Problem.parse(JSON.parse(text));
  const inside = INTERNALS.exec(problem.error)?.[0];
  if (inside !== undefined) throw new Error(`the problem shows ${JSON.stringify(inside)}: ${problem.error}`);
  return problem;
}

/** Requests that HTTP itself does not allow never reach a route: Node's own answers have no date. */
const isLogged = ({ method, target }: FuzzRequest, { status, headers }: RawAnswer, error: string): boolean =>
  method === 'POST' && PREDICTS.test(target) && headers.has('date') && !NOT_LOGGED.has(status) && error !== NOWHERE;

/** Shapes that hold their data, probabilities that are some. */
function checkedTensors({ parameters, outputs }: z.infer<typeof Inference>): readonly string[] {
  const rows = parameters.prediction_ids.length;
  for (const { name, shape, data } of outputs) {
    if (shape[0] !== rows) throw new Error(`output ${name} has ${shape[0]} rows of ${rows}`);
    if (data && data.length !== shape.reduce((product, size) => product * size, 1)) throw new Error(`output ${name} of shape [${shape.join(', ')}] has ${data.length} values`);
    if (name === 'probabilities' && data) checkProbabilities(data.map(Number), rows);
  }
  return parameters.prediction_ids;
}

function checkProbabilities(values: readonly number[], rows: number): void {
  const each = values.length / rows;
  for (let row = 0; row < rows; row += 1) {
    const sum = values.slice(row * each, (row + 1) * each).reduce((total, value) => total + value, 0);
    if (!(Math.abs(sum - 1) < 1e-3)) throw new Error(`row ${row} has probabilities that sum up to ${sum}`);
  }
}

/** NaN and infinity have no form in JSON but null. */
function checkedNumbers({ parameters }: z.infer<typeof TensorFlow>, text: string): readonly string[] {
  if (text.includes('null')) throw new Error(`an answer without a number: ${text.slice(0, 300)}`);
  return parameters.prediction_ids;
}

function ofBinary(body: Buffer, length: number): Account {
  const parsed = Inference.parse(JSON.parse(body.toString('utf8', 0, length)));
  const predictions = checkedTensors(parsed);
  const bytes = parsed.outputs.reduce((sum, { parameters }) => sum + (parameters?.binary_data_size ?? 0), 0);
  if (length + bytes !== body.length) throw new Error(`a binary answer of ${length} and ${bytes} bytes has ${body.length}`);
  return { predictions, refusals: 0 };
}

function ofStream(request: FuzzRequest, text: string): Account {
  const lines = text.split('\n').filter((line) => line !== '').map((line) => Line.parse(JSON.parse(line)));
  let last = 0;
  for (const one of lines) {
    if (one.line <= last) throw new Error(`line ${one.line} is answered after ${last}`);
    last = one.line;
    if (!('error' in one) || typeof one.error !== 'string') continue;
    const inside = INTERNALS.exec(one.error)?.[0];
    if (inside !== undefined) throw new Error(`the problem shows ${JSON.stringify(inside)}: ${one.error}`);
    if (Number(one['status']) >= 500) failUnlessInjected(request, Number(one['status']), one.error);
  }
  return {
    predictions: lines.flatMap((one) => ('outputs' in one ? checkedTensors(Inference.parse(one)) : [])),
    refusals: lines.filter((one) => 'status' in one && !NOT_LOGGED.has(Number(one['status']))).length,
  };
}
