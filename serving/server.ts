import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startRunner } from '../runtime/runner/start.js';
import type { Artifacts } from '../stores/artifacts.js';
import type { Database } from '../stores/database.js';
import type { Stores } from '../stores/index.js';
import { openAccess } from './access/open.js';
import { createPredictAs } from './access/predict-as.js';
import { createDrain } from './drain.js';
import type { EventSink } from './events/post.js';
import { createEventSender } from './events/sender.js';
import { createFeatureLookup } from './features/lookup.js';
import { createGuards } from './guard/guards.js';
import { readGauges } from './gauges.js';
import { registerAddresses } from './http/addresses.js';
import { createApp } from './http/app.js';
import { createRefusedHook } from './http/refused.js';
import { openTls, type TlsFiles } from './http/tls.js';
import { limitsOf, type ServerLimits } from './limits.js';
import { createCopier, createSink, type Copier } from './log/copier.js';
import { createPredictionLog } from './log/prediction-log.js';
import { createRefusals } from './log/refusals.js';
import { createMetrics } from './metrics.js';
import { openServingPolicies } from './policies.js';
import { createPredict } from './predict.js';
import type { OnProblem } from './problem.js';
import { createServedPseudonyms } from './pseudonyms.js';
import type { Replica } from './replica/http-process.js';
import { followRoutes } from './routing/follow-routes.js';
import { createLeaseKeeper, type LeaseKeeper } from './routing/lease-keeper.js';
import { openRoutedModels } from './routing/open.js';
import { createPackageCache } from './routing/package-cache.js';

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
  const { environment, replica, stores, scratch, onProblem, of } = options;
  const limits = limitsOf(options.limits, of?.processes ?? 1);
  const tls = options.tls ? await openTls(options.tls, { onProblem, ...(options.tls.lookMs === undefined ? {} : { lookMs: options.tls.lookMs }) }) : null;
  const metrics = createMetrics();
  const startedAt = Date.now();
  const access = await openAccess({ database: options.database, stores, environment, scratch, metrics, onProblem });
  const log = await createPredictionLog({
    dir: options.segmentDir, maximumBytes: limits.logBytes, onProblem, noteGaps: (gaps) => stores.predictions.noteGaps(gaps),
    copier: options.copier ?? createCopier(createSink(stores, { events: options.events !== undefined })), orphans: of === undefined || of.slot === 1,
  });
  // One of a replica's processes sends for all of them.
  const events = options.events && (of === undefined || of.slot === 1) ? createEventSender({ store: stores.predictionEvents, environment, sink: options.events, keepMs: options.events.keepMs, metrics, onProblem }) : null;
  const policies = await openServingPolicies({ database: options.database, models: stores.models, path: join(scratch, 'policies.json'), onProblem });
  const pseudonyms = createServedPseudonyms(options.pseudonymKey);
  let lease: LeaseKeeper | null = null;
  const { models, budget } = await openRoutedModels({
    environment, replica, stores, scratch, limits, metrics, onProblem, packages: of?.packages ?? createPackageCache(join(scratch, 'packages'), options.artifacts),
    startRunner: (packageDirectory, signal) => (of ? of.startRunner(packageDirectory) : startRunner({ packageDirectory, signal, tfjsNode: options.tfjsNode, memoryMb: limits.runnerMemoryMb, ...(limits.runnerThreads === undefined ? {} : { threads: limits.runnerThreads }) })).then(pseudonyms.admit),
    onSwitched: (model) => void lease?.report(model),
  });

  const drain = createDrain(limits.drainMs);
  let settledAt = 0;
  const ready = (): boolean => !drain.started && settledAt > 0;
  const refuse = createRefusals({ log, metrics, environment, replica });
  const app = createApp({
    bodyLimit: limits.bodyBytes, arrivalMs: limits.arrivalMs, tls, draining: () => drain.started, hosts: options.url ? [new URL(options.url).hostname] : [], metrics, onRefused: createRefusedHook(refuse), onProblem,
  });
  const lookUp = createFeatureLookup({ rows: stores.featureRows, timeoutMs: limits.lookupMs, onLookup: (view, outcome) => { metrics.lookup(view, outcome); } });
  const guards = createGuards({ policyOf: (model) => policies.of(model), metrics, onProblem });
  const predict = createPredict({ models, log, lookUp, metrics, environment, replica, maximumRows: limits.maximumRows, logPolicyOf: (model) => policies.of(model).log, guards, pseudonymsOf: pseudonyms.of });
  const ownMetrics = (): string => metrics.text(readGauges({ models, log, budget, events, leaseHeld: () => lease?.held ?? false, ready, startedAt }), { predictions_dropped_total: log.dropped });
  registerAddresses(app, {
    models, stores, refuse, ready, onProblem, auth: access.auth, limits: access.limits, lineBytes: limits.bodyBytes, softwareVersion: options.softwareVersion,
    predict: createPredictAs({ predict, limits: access.limits, decimalsOf: (model) => policies.of(model).decimals, explanationsOf: (model) => policies.of(model).explanations, onGiven: (key, rows) => { metrics.keyGiven(key, rows); } }),
    shortages: () => (budget.isShort ? ['memory'] : []),
    onProbed: () => {
      drain.probed();
      of?.onProbed();
    },
    metrics: () => of?.metrics() ?? ownMetrics(),
  });
  of?.count(ownMetrics);

  async function listen(): Promise<{ url: string; address: AddressInfo }> {
    await app.listen({ host: options.host ?? '127.0.0.1', port: of?.port ?? options.port ?? 0 });
    const address = app.server.address() as AddressInfo;
    return { address, url: options.url ?? `${tls ? 'https' : 'http'}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}` };
  }
  // One of several gets connections as soon as it listens, so it listens once it can answer.
  const alone = of ? null : await listen();
  const follower = followRoutes({
    database: options.database, stores, environment, models, policies, begun: access.begun, stopping: () => drain.started, onProblem,
    async onSettled() {
      settledAt = Date.now();
      if (!of) return;
      const { url, address } = await listen();
      of.ready(url, address);
    },
  });
  lease = alone ? createLeaseKeeper({ replicas: stores.replicas, replica, environment, url: alone.url, serving: models.serving, onProblem }) : of?.createLease(models.serving) ?? null;

  return {
    url: alone?.url ?? '',
    settled: follower.settled,
    async close(isProbed = false) {
      if (isProbed) drain.probed();
      await drain.start();
      await app.close();
      tls?.close();
      await Promise.all([follower.close(), access.close()]);
      await lease?.close();
      budget.close();
      await models.close();
      await policies.close();
      await log.close();
      await events?.close();
    },
  };
}
