import type { AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { PerennialError } from '../contract/errors.js';
import type { Route } from '../contract/route.js';
import { startRunner } from '../runtime/runner/start.js';
import type { Artifacts } from '../stores/artifacts.js';
import type { Database } from '../stores/database.js';
import type { Stores } from '../stores/index.js';
import { createKeyLimits } from './access/key-limits.js';
import { openKnownKeys } from './access/known-keys.js';
import { createPredictAs } from './access/predict-as.js';
import { createKeyRefusals } from './access/refusals.js';
import { createUseTeller } from './access/use-teller.js';
import { createAuthenticator } from './auth.js';
import { createDrain } from './drain.js';
import type { EventSink } from './events/post.js';
import { createEventSender } from './events/sender.js';
import { createFeatureLookup } from './features/lookup.js';
import { createGuards } from './guard/guards.js';
import { readGauges } from './gauges.js';
import { createApp } from './http/app.js';
import { registerLabels } from './http/labels.js';
import { registerOpenApi } from './http/openapi.js';
import { createRefusedHook } from './http/refused.js';
import { registerStream } from './http/stream.js';
import { openTls, type TlsFiles } from './http/tls.js';
import { registerTensorFlowServing } from './http/tensorflow-serving.js';
import { registerV2 } from './http/v2.js';
import { openKnownCallers } from './known-callers.js';
import { createCopier, createSink, type Copier } from './log/copier.js';
import { createPredictionLog } from './log/prediction-log.js';
import { createRefusals } from './log/refusals.js';
import { openServingPolicies } from './policies.js';
import type { OnProblem } from './problem.js';
import { createMetrics } from './metrics.js';
import { createPredict } from './predict.js';
import { createServedPseudonyms } from './pseudonyms.js';
import type { Replica } from './replica/http-process.js';
import { openLastGood } from './routing/last-good.js';
import { createLeaseKeeper, type LeaseKeeper } from './routing/lease-keeper.js';
import { createMemoryBudget } from './routing/memory-budget.js';
import { createModels, type Models } from './routing/models.js';
import { createPackageCache } from './routing/package-cache.js';
import { recall } from './routing/recall.js';
import { createRouteFollower } from './routing/route-follower.js';

export interface ServerOptions {
  readonly environment: string;
  readonly replica: string;
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** The address that others reach this replica at; where it listens unless told. */
  readonly url?: string;
  /** Certificate and private key, looked at for newer ones every so often; left out: HTTP as it is. */
  readonly tls?: TlsFiles & { readonly lookMs?: number };
  readonly database: Pick<Database, 'listen'>;
  readonly stores: Pick<Stores, 'routes' | 'replicas' | 'replicaFailures' | 'versions' | 'predictions' | 'refusals' | 'labels' | 'principals' | 'featureRows' | 'apiKeys' | 'apiKeyUse' | 'models' | 'predictionEvents'>;
  readonly artifacts: Artifacts;
  readonly tfjsNode: string;
  /** Folder of this replica for packages and what helps a restart while PostgreSQL is away. */
  readonly scratch: string;
  /** Folder of this replica's part of the prediction log. */
  readonly segmentDir: string;
  /** What this process has from the replica that it is one of several HTTP processes of; alone it has its own. */
  readonly of?: Replica;
  /** What brings the prediction log to PostgreSQL; the server's own thread unless told. */
  readonly copier?: Copier;
  readonly softwareVersion: string;
  /** The secret that pseudonyms are made with; asked for once a version needs it. */
  readonly pseudonymKey: () => Promise<string>;
  /** Where predictions are sent as CloudEvents, and for how long one waits; left out: nowhere. */
  readonly events?: EventSink & { readonly keepMs: number };
  readonly limits?: Partial<ServerLimits>;
  readonly onProblem: OnProblem;
}

export interface ServerLimits {
  readonly bodyBytes: number; readonly maximumRows: number;
  readonly batchRows: number; readonly latencyGoalMs: number; readonly inFlight: number; readonly queueRows: number; readonly deadlineMs: number; readonly hungMs: number;
  readonly runnerMemoryMb: number;
  /** Memory that all runners together may have. */
  readonly memoryBytes: number;
  /** TensorFlow threads of each runner; all cores unless told. */
  readonly runnerThreads?: number;
  readonly logBytes: number;
  /** How long a prediction waits for the values of a feature view. */
  readonly lookupMs: number;
  /** How long a request that is no stream may take to arrive. */
  readonly arrivalMs: number;
  /** How long a replica that is told to stop goes on answering, so that those who ask whether it is ready notice. */
  readonly drainMs: number;
}
const LIMITS: ServerLimits = {
  bodyBytes: 32 * 1024 ** 2, maximumRows: 1_024, batchRows: 128, latencyGoalMs: 50, inFlight: 2, queueRows: 2_048, deadlineMs: 10_000, hungMs: 5_000, runnerMemoryMb: 2_048, memoryBytes: totalmem(), logBytes: 4 * 1024 ** 3,
  lookupMs: 1_000, arrivalMs: 60_000, drainMs: 5_000,
};
/** What a replica has of, divided among its processes. */
const shared = (limits: ServerLimits, processes: number): ServerLimits => ({ ...limits, queueRows: Math.ceil(limits.queueRows / processes), logBytes: Math.ceil(limits.logBytes / processes) });
/** How long a start waits for PostgreSQL before it serves the last good routes. */
const FIRST_ROUTES_MS = 2_000;

export interface PredictionServer {
  /** Empty of one of several processes: their replica says it. */
  readonly url: string;
  /** Resolves when the routes that were there at the start are served, or cannot be. */
  readonly settled: Promise<void>;
  /** Says that it is not ready, answers until those who ask have noticed, finishes what is under way, ends the lease and the runners, copies what is left of the log. `isProbed`: somebody asks another process of the replica whether it is ready. */
  close(isProbed?: boolean): Promise<void>;
}

/** One replica of an environment's prediction server. Rejects where it cannot listen or write its folders. */
export async function createServer(options: ServerOptions): Promise<PredictionServer> {
  const { environment, replica, stores, artifacts, scratch, onProblem, of } = options;
  const limits = shared({ ...LIMITS, ...options.limits }, of?.processes ?? 1);
  const tls = options.tls ? await openTls(options.tls, { onProblem, ...(options.tls.lookMs === undefined ? {} : { lookMs: options.tls.lookMs }) }) : null;
  const metrics = createMetrics();
  const startedAt = Date.now();
  const callers = await openKnownCallers(join(scratch, 'callers.json'), onProblem);
  const keys = await openKnownKeys({ database: options.database, keys: stores.apiKeys, environment, path: join(scratch, 'keys.json'), onProblem });
  const onKeyRefused = createKeyRefusals({ metrics, onProblem });
  const keyLimits = createKeyLimits({ onRefused: onKeyRefused });
  const teller = createUseTeller({ limits: keyLimits, use: stores.apiKeyUse, environment, onProblem });
  const auth = createAuthenticator({
    keys, onKeyRefused,
    authenticate: async (token) => {
      const found = await stores.principals.authenticate(token);
      return found && { principal: found.principal.id, scopes: found.scopes };
    },
    known: callers.known,
    onChecked: (digest, caller) => callers.remember(digest, caller),
    onRefused: (digest) => callers.forget(digest),
  });
  const log = await createPredictionLog({
    dir: options.segmentDir, maximumBytes: limits.logBytes, onProblem, noteGaps: (gaps) => stores.predictions.noteGaps(gaps),
    copier: options.copier ?? createCopier(createSink(stores, { events: options.events !== undefined })), orphans: of === undefined || of.slot === 1,
  });

  // One of a replica's processes sends for all of them.
  const events = options.events && (of === undefined || of.slot === 1) ? createEventSender({ store: stores.predictionEvents, environment, sink: options.events, keepMs: options.events.keepMs, metrics, onProblem }) : null;
  const policies = await openServingPolicies({ database: options.database, models: stores.models, path: join(scratch, 'policies.json'), onProblem });

  let lease: LeaseKeeper | null = null;
  const failures = new Map<string, number>();
  const pseudonyms = createServedPseudonyms(options.pseudonymKey);
  const budget = createMemoryBudget({ bytes: limits.memoryBytes, spares: () => models.spares(), onProblem });
  const models: Models = createModels({
    versions: stores.versions, packages: of?.packages ?? createPackageCache(join(scratch, 'packages'), artifacts), lastGood: await openLastGood(join(scratch, 'last-good.json'), environment),
    limits, memoryLimitBytes: limits.runnerMemoryMb * 1024 ** 2, budget, onProblem,
    startRunner: (packageDirectory, signal) => (of ? of.startRunner(packageDirectory) : startRunner({ packageDirectory, signal, tfjsNode: options.tfjsNode, memoryMb: limits.runnerMemoryMb, ...(limits.runnerThreads === undefined ? {} : { threads: limits.runnerThreads }) })).then(pseudonyms.admit),
    onSwitched: (model, { route }) => {
      void lease?.report(model);
      if (failures.get(model) !== route.generation) return;
      failures.delete(model);
      stores.replicaFailures.clear({ replica, environment, model, generation: route.generation }).catch((error: unknown) => onProblem('a passed failure could not be cleared', error));
    },
    onFailed: (route, version, error) => void reportFailure(route, version, error),
    onBatch: metrics.batch,
    onUnloaded: (_model, _version, why) => { metrics.unloaded(why); },
    onRunner: (model, version, event, detail) => {
      metrics.runner(model, version, event);
      onProblem(`runner of ${model}@${version} ${event}: ${detail}`, undefined);
    },
  });

  async function reportFailure(route: Route, version: number | null, error: unknown): Promise<void> {
    const { model, generation } = route;
    const code = error instanceof PerennialError ? error.code : 'release/load-failed';
    const message = `${version === null ? model : `${model}@${version}`} could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
    onProblem(message, error);
    failures.set(model, generation);
    try {
      await stores.replicaFailures.record({ replica, environment, model, generation, version, code, message });
    } catch (cause) {
      onProblem('the failure could not be reported', cause);
    }
  }

  const drain = createDrain(limits.drainMs);
  let settledAt = 0;
  const ready = (): boolean => !drain.started && settledAt > 0;
  const refuse = createRefusals({ log, metrics, environment, replica });
  const app = createApp({
    bodyLimit: limits.bodyBytes, arrivalMs: limits.arrivalMs, tls, draining: () => drain.started, hosts: options.url ? [new URL(options.url).hostname] : [], metrics, onRefused: createRefusedHook(refuse), onProblem,
  });
  const lookUp = createFeatureLookup({ rows: stores.featureRows, timeoutMs: limits.lookupMs, onLookup: (view, outcome) => { metrics.lookup(view, outcome); } });
  const guards = createGuards({ guardrailsOf: (model) => policies.of(model).guardrails, metrics, onProblem });
  const predict = createPredict({ models, log, lookUp, metrics, environment, replica, maximumRows: limits.maximumRows, logPolicyOf: (model) => policies.of(model).log, guards, pseudonymsOf: pseudonyms.of });
  const predictAs = createPredictAs({ predict, limits: keyLimits, decimalsOf: (model) => policies.of(model).decimals, explanationsOf: (model) => policies.of(model).explanations, onGiven: (key, rows) => { metrics.keyGiven(key, rows); } });
  const admission = { auth, limits: keyLimits };
  registerV2(app, { models, predict: predictAs, ...admission, ready, shortages: () => (budget.isShort ? ['memory'] : []), onProbed: () => { drain.probed(); of?.onProbed(); }, softwareVersion: options.softwareVersion });
  registerTensorFlowServing(app, { models, predict: predictAs, ...admission });
  registerStream(app, { models, predict: predictAs, ...admission, refuse, lineBytes: limits.bodyBytes, onProblem });
  registerOpenApi(app, options.softwareVersion);
  registerLabels(app, { models, stores, auth });
  const ownMetrics = (): string => metrics.text(readGauges({ models, log, budget, events, leaseHeld: () => lease?.held ?? false, ready, startedAt }), { predictions_dropped_total: log.dropped });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await (of?.metrics() ?? ownMetrics())));
  of?.count(ownMetrics);
  async function listen(): Promise<{ url: string; address: AddressInfo }> {
    await app.listen({ host: options.host ?? '127.0.0.1', port: of?.port ?? options.port ?? 0 });
    const address = app.server.address() as AddressInfo;
    return { address, url: options.url ?? `${tls ? 'https' : 'http'}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}` };
  }
  // One of several gets connections as soon as it listens, so it listens once it can answer.
  const alone = of ? null : await listen();

  let firstRoutes: () => void = () => undefined;
  const routesSeen = new Promise<void>((seen) => { firstRoutes = seen; });
  let applying: Promise<unknown> = Promise.resolve();
  const follower = createRouteFollower({
    database: options.database, routes: stores.routes, environment, onProblem,
    onRoutes: (routes) => {
      // What may be logged is known before the first prediction; a route of a known model waits for nothing.
      applying = policies.learn(routes.map(({ model }) => model)).then(() => models.apply(routes));
      firstRoutes();
    },
  });
  lease = alone ? createLeaseKeeper({ replicas: stores.replicas, replica, environment, url: alone.url, serving: models.serving, onProblem }) : of?.createLease(models.serving) ?? null;
  const settled = (async () => {
    const timer = new Promise<void>((late) => setTimeout(late, FIRST_ROUTES_MS));
    await Promise.race([Promise.all([routesSeen, teller.begun]), timer]);
    if (!follower.synced) await models.applyLastGood();
    await applying;
    settledAt = Date.now();
    if (!of) return;
    const { url, address } = await listen();
    of.ready(url, address);
  })();
  void Promise.all([settled, routesSeen]).then(() => applying).then(() => recall({ environment, models, routes: stores.routes, versions: stores.versions, stopping: () => drain.started, onProblem }));

  return {
    url: alone?.url ?? '',
    settled,
    async close(isProbed = false) {
      if (isProbed) drain.probed();
      await drain.start();
      await app.close();
      tls?.close();
      await Promise.all([follower.close(), keys.close(), teller.close()]);
      await lease?.close();
      budget.close();
      await models.close();
      await policies.close();
      await log.close();
      await events?.close();
    },
  };
}
