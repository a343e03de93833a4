import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loopback } from './ports.js';
import { bareEnvironment, type Program } from './program.js';

export const temporalPorts = ['grpc', 'ui', 'http', 'metrics'] as const;
export const temporalNamespace = 'perennial';

/** How long Temporal keeps the history of a closed workflow. PostgreSQL is the record; this is for looking things up in the Web UI. */
const retentionDays = 30;

/** Type of a custom search attribute of the namespace. */
export type SearchAttributeType = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface TemporalOptions {
  executable: string;
  dataDir: string;
  ports: Record<(typeof temporalPorts)[number], number>;
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  /** false: do not wait for the disk at every write; for tests, whose state nobody needs after a power cut */
  durable: boolean;
}

/** The Temporal development server with its Web UI, keeping its state in one database file. */
export function temporalProgram({ executable, dataDir, ports, searchAttributes = {}, durable }: TemporalOptions): Program {
  const api = `http://${loopback}:${ports.http}/api/v1/namespaces/${temporalNamespace}`;
  return {
    name: 'temporal',
    stage: 0,
    kind: 'service',
    command: executable,
    args: [
      'server', 'start-dev',
      '--db-filename', join(dataDir, 'temporal.sqlite'),
      '--ip', loopback, '--port', String(ports.grpc), '--http-port', String(ports.http), '--metrics-port', String(ports.metrics),
      '--ui-ip', loopback, '--ui-port', String(ports.ui), '--ui-disable-news-fetch',
      '--namespace', temporalNamespace,
      '--log-level', 'warn',
      ...(durable ? [] : ['--sqlite-pragma', 'synchronous=0']),
      ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ],
    env: bareEnvironment(dataDir),
    cwd: dataDir,
    prepare: async () => {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
    },
    readiness: { kind: 'probe', check: async () => (await fetch(api, { signal: AbortSignal.timeout(2_000) })).ok },
    afterReady: () => keepHistories(api),
    readyTimeoutMs: 60_000,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    url: `http://${loopback}:${ports.ui}`,
  };
}

async function keepHistories(api: string): Promise<void> {
  const response = await fetch(`${api}/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ config: { workflowExecutionRetentionTtl: `${retentionDays * 86_400}s` } }),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`Temporal refused to keep histories for ${retentionDays} days: ${response.status} ${await response.text()}`);
}
