import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, defaultPayloadConverter } from '@temporalio/client';
import { QUEUES } from '../../contract/names.js';
import type { Role, Scope } from '../../contract/policy.js';
import { createGateway } from '../../gateway/app.js';
import type { GatewayDeps } from '../../gateway/deps.js';
import { createArtifacts, type Artifacts } from '../../stores/artifacts.js';
import { createDatabase } from '../../stores/database.js';
import { createStores, type Stores } from '../../stores/index.js';
import { createTestDatabase } from '../support/database.js';
import { uniqueName, useStack } from '../support/use-stack.js';
import { createProxy, type Proxy } from './proxy.js';

/** Every field that a test reads of some answer; which of them an answer really has is what the tests are about. */
export interface Body {
  readonly error: { readonly code: string; readonly message: string; readonly next: string; readonly details: { readonly fields: readonly { readonly field: string }[] } };
  readonly explanation: { readonly happened: string; readonly stands: string; readonly next: string };
  readonly sealed: { readonly gates: readonly { readonly gate: string }[] };
  readonly hook: { readonly secret: string };
  readonly committer: { readonly name: string };
  readonly refusedHooks: readonly { readonly repository: string | null; readonly reason: string; readonly count: number }[];
  readonly replicas: readonly { readonly replica: string; readonly state: string; readonly version: number | null }[];
  readonly entries: readonly { readonly action: string; readonly actor: string }[];
  readonly versions: readonly number[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly description: string; readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: { readonly required: readonly string[] } }>> }; readonly parameters: readonly { readonly name: string }[] }>>>>;
  readonly openapi: string; readonly branch: string; readonly cause: string; readonly digest: string; readonly generation: number;
  readonly ignored: unknown; readonly repeated: boolean; readonly state: string; readonly status: string;
}
export interface SignalSent { readonly name: string; readonly payload: { readonly id: string; readonly reason: unknown } }
export interface Answered { readonly status: number; readonly body: Body; readonly headers: Headers; readonly text: string }
export interface Sent { readonly token?: string | null; readonly body?: unknown; readonly raw?: Uint8Array | string; readonly headers?: Readonly<Record<string, string>> }

export interface TestGateway {
  readonly url: string;
  /** On the database itself, past the proxy. */
  readonly stores: Stores;
  readonly artifacts: Artifacts;
  /** To Temporal itself, past the proxy. */
  readonly client: Client;
  readonly namespace: string;
  readonly temporalAddress: string;
  readonly secretsDir: string;
  readonly temporalProxy: Proxy;
  readonly databaseProxy: Proxy;
  readonly logged: string[];
  tokenWith(roles: readonly (Role | [Role, string])[], scopes?: readonly Scope[]): Promise<string>;
  call(method: string, path: string, sent?: Sent): Promise<Answered>;
  /** Another gateway beside this one, on the same parts, that speaks HTTPS. */
  withTls(tls: NonNullable<GatewayDeps['tls']>, story: (url: string) => Promise<void>): Promise<void>;
  /** Names and payloads of the signals that a workflow was sent. */
  signalsOf(workflow: string): Promise<SignalSent[]>;
  /** Runs `story` while a worker with the doubles of `doubles.ts` answers the lifecycle queue. */
  withWorker(activities: Readonly<Record<string, (argument: never) => Promise<unknown>>>, story: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A real gateway on a database, a bucket and a Temporal namespace of its own, with proxies to take PostgreSQL and Temporal away. */
export async function startTestGateway(): Promise<TestGateway> {
  const stack = await useStack(['postgres', 'temporal', 's3']);
  const database = await createTestDatabase();
  const secretsDir = await mkdtemp(join(tmpdir(), 'perennial-gateway-'));
  const namespace = uniqueName('gateway');
  const [host = '', port = ''] = stack.config.temporal.address.split(':');
  const temporalProxy = await createProxy(host, Number(port));
  const address = new URL(database.url);
  const databaseProxy = await createProxy(address.hostname, Number(address.port));
  address.host = `127.0.0.1:${databaseProxy.port}`;

  const direct = await Connection.connect({ address: stack.config.temporal.address });
  await direct.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 } as never });
  const proxied = Connection.lazy({ address: `127.0.0.1:${temporalProxy.port}`, connectTimeout: '4s', channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.min_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 200 } });
  const artifacts = createArtifacts({ ...stack.config.s3, bucket: await stack.createBucket() });
  const gatewayDatabase = createDatabase(address.href, { statementTimeoutMs: 4_000 });
  const logged: string[] = [];
  const deps: GatewayDeps = {
    config: { host: '127.0.0.1', port: 0, publicUrl: 'https://perennial.example', secretsDir },
    stores: createStores(gatewayDatabase), artifacts, temporal: new Client({ connection: proxied, namespace }),
    listen: (channel, handler) => gatewayDatabase.listen(channel, handler),
    log: (message, fields) => logged.push(`${message} ${JSON.stringify(fields ?? {})}`),
    reconcileMs: 300,
  };
  const gateway = await createGateway(deps);
  const client = new Client({ connection: direct, namespace });
  let principals = 0;
  return {
    url: gateway.url, stores: database.stores, artifacts, client, namespace, temporalAddress: stack.config.temporal.address, secretsDir, temporalProxy, databaseProxy, logged,
    async tokenWith(roles, scopes = ['api']) {
      const id = `principal-${(principals += 1)}`;
      await database.stores.principals.create({ id, kind: 'person', displayName: id, email: null, publicKey: null });
      for (const role of roles) await (typeof role === 'string' ? database.stores.principals.grant(id, role, null) : database.stores.principals.grant(id, role[0], role[1]));
      return (await database.stores.principals.createToken({ principal: id, scopes, name: 'test' })).token;
    },
    async call(method, path, { token, body, raw, headers = {} } = {}) {
      const response = await fetch(`${gateway.url}/api/v1${path}`, {
        method,
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(raw !== undefined ? { body: raw as string } : body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : null) as Body };
    },
    async withTls(tls, story) {
      const secure = await createGateway({ ...deps, tls });
      try {
        await story(secure.url);
      } finally {
        await secure.close();
      }
    },
    async signalsOf(workflow) {
      const { events = [] } = await client.workflow.getHandle(workflow).fetchHistory();
      return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => (signal ? [{ name: signal.signalName ?? '', payload: defaultPayloadConverter.fromPayload<SignalSent['payload']>((signal.input?.payloads ?? [])[0] as never) }] : []));
    },
    async withWorker(activities, story) {
      const { NativeConnection, Worker } = await import('@temporalio/worker'); // heavy, and few tests need it
      (await import('../support/temporal-runtime.js')).quietRuntime();
      const connection = await NativeConnection.connect({ address: stack.config.temporal.address });
      const worker = await Worker.create({ connection, namespace, taskQueue: QUEUES.lifecycle, activities, workflowsPath: fileURLToPath(new URL('doubles.ts', import.meta.url)) });
      try {
        await worker.runUntil(story());
      } finally {
        await connection.close();
      }
    },
    async close() {
      await gateway.close();
      await Promise.all([gatewayDatabase.close(), proxied.close()]);
      await Promise.all([temporalProxy.close(), databaseProxy.close(), direct.close()]);
      await database.drop();
      await rm(secretsDir, { recursive: true, force: true });
    },
  };
}
