import type { TestEnvironmentReport } from '../../contract/evaluation.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { PerennialError } from '../../contract/errors.js';
import type { TestEnvironment } from '../../definition/evaluation.js';
import { quantile } from '../../domain/quantiles.js';
import { spreadOf } from '../../domain/outputs.js';
import { checkBadRequests, type Check } from './bad-requests.js';
import { createHttpClient, type HttpClient } from './http-client.js';
import { numbersOf } from './expected.js';
import { inferenceBody, readInference } from './inference.js';
import { load, round } from './load.js';
import type { ExpectedRow } from './test-rows.js';

export interface HttpTest {
  readonly url: string; readonly token: string; readonly model: string; readonly version: number;
  readonly rows: readonly ExpectedRow[]; readonly content: SnapshotManifest['content']; readonly settings: TestEnvironment;
  readonly progress: { stage: string; done: number; of: number };
  readonly signal: AbortSignal;
}

/** Requests before the clock runs: the first ones meet cold caches. */
const WARM_UP = 10;

/** What a version shows through HTTP: the same answers as at evaluation, on rows it never saw, quickly, under load, and clear refusals. */
export async function testVersionOverHttp(test: HttpTest): Promise<TestEnvironmentReport> {
  const { url, token, model, settings, rows, content, progress, signal } = test;
  const path = `/v2/models/${model}/infer`;
  const isNumber = content.target.task === 'regression';
  const bodies = rows.map((row) => inferenceBody(row, content));
  const client = createHttpClient(url, { token, connections: 1 });
  try {
    progress.stage = 'rows';
    progress.of = rows.length;
    const asked = await askRows(client, path, test, bodies);
    progress.stage = 'bad requests';
    const refusals = bodies[0] ? await checkBadRequests(client, model, bodies[0]) : [];
    progress.stage = 'load';
    const loaded = await load({ url, token, path, bodies, seconds: settings.load.seconds, connections: settings.load.connections, signal });

    const percentile = (share: number) => round(quantile(asked.latencies, share) ?? 0);
    const latencyMs = { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) };
    const errorShare = loaded.requests === 0 ? 1 : loaded.errors / loaded.requests;
    const checks: Check[] = [
      { check: 'same answers as at evaluation', passed: asked.wrong.length === 0 && asked.furthest <= settings.tolerance, detail: asked.wrong[0] ?? `${rows.length} rows, furthest ${isNumber ? 'value' : 'probability'} ${asked.furthest.toExponential(1)}${isNumber ? ' standard deviations' : ''} apart (allowed ${settings.tolerance})` },
      ...refusals,
      { check: 'latency', passed: latencyMs.p99 <= settings.p99Ms, detail: `p99 ${latencyMs.p99} ms, one request at a time (allowed ${settings.p99Ms} ms)` },
      { check: 'load', passed: errorShare <= settings.load.maximumErrorShare, detail: `${loaded.errors} of ${loaded.requests} requests failed over ${loaded.connections} connections` },
    ];
    return { v: 1, passed: checks.every((check) => check.passed), checks, ...(isNumber ? { accuracy: null, mae: asked.error / rows.length } : { accuracy: asked.right / rows.length }), rows: rows.length, latencyMs, load: loaded };
  } finally {
    client.close();
  }
}

/** What the rows showed: `error` is the sum of absolute errors of a regression, `furthest` is in the unit that the tolerance is in. */
interface Asked { readonly latencies: number[]; readonly right: number; readonly error: number; readonly furthest: number; readonly wrong: string[] }

async function askRows(client: HttpClient, path: string, test: HttpTest, bodies: readonly Buffer[]): Promise<Asked> {
  const { rows, version, progress, signal, model } = test;
  const latencies: number[] = [];
  const wrong: string[] = [];
  let [right, error, furthest] = [0, 0, 0];
  const unit = test.content.target.task === 'regression' ? spreadOf(rows.flatMap((row) => row.expected)) : 1;
  for (const body of bodies.slice(0, WARM_UP)) await client.post(path, body);
  for (const [index, row] of rows.entries()) {
    signal.throwIfAborted();
    const body = bodies[index];
    if (!body) continue;
    const answer = await client.post(path, body);
    latencies.push(answer.latencyMs);
    progress.done = index + 1;
    if (answer.status !== 200) {
      wrong.push(`row ${row.key}: status ${answer.status}: ${answer.body.slice(0, 200)}`);
      continue;
    }
    const said = readInference(answer.body);
    if (said.version !== version) throw new PerennialError('test-environment/unavailable', `the test environment answered as ${model}@${said.version} while ${model}@${version} was tested`);
    if ('class' in said.answer && said.answer.class === row.actual) right += 1;
    if ('value' in said.answer) error += Math.abs(said.answer.value - Number(row.actual));
    const numbers = numbersOf(said.answer);
    const distance = Math.max(...row.expected.map((number, at) => Math.abs(number - (numbers[at] ?? Infinity)))) / unit;
    furthest = Math.max(furthest, distance);
  }
  return { latencies, right, error, furthest, wrong };
}
