import { mkdir, rm } from 'node:fs/promises';
import { loopback } from './ports.js';
import { bareEnvironment, type Program } from './program.js';
import { signRequest } from './s3-sign.js';

export const s3Ports = ['s3', 's3Grpc', 'master', 'masterGrpc', 'volume', 'volumeGrpc', 'filer', 'filerGrpc', 'admin'] as const;
/** Its maintenance worker expects the gRPC port of the admin part at this distance, whatever that is told. */
export const s3PortCompanions = { admin: 10_000 } as const;
export const s3Bucket = 'perennial';
export const s3Region = 'us-east-1';

/** Files of the store grow up to this size; nothing is allocated ahead, so the product with the count is a ceiling, not a cost. */
const volumeSizeMb = 128;
const volumeCount = 4_000;

export interface S3Options {
  executable: string;
  dataDir: string;
  ports: Record<(typeof s3Ports)[number], number>;
  accessKeyId: string;
  secretAccessKey: string;
  /** locks the store's inner HTTP interfaces, which listen on loopback beside the S3 one */
  internalKey: string;
}

/** SeaweedFS in one process, with one bucket. */
export function s3Program({ executable, dataDir, ports, accessKeyId, secretAccessKey, internalKey }: S3Options): Program {
  return {
    name: 's3',
    stage: 0,
    kind: 'service',
    command: executable,
    args: [
      '-logtostderr=true', 'mini',
      `-dir=${dataDir}`, `-ip=${loopback}`, `-ip.bind=${loopback}`, `-bucket=${s3Bucket}`,
      `-s3.port=${ports.s3}`, `-s3.port.grpc=${ports.s3Grpc}`, '-s3.port.iceberg=0', '-s3.port.lance=0',
      `-master.port=${ports.master}`, `-master.port.grpc=${ports.masterGrpc}`, `-master.dir=${dataDir}`, '-master.telemetry=false',
      `-master.volumeSizeLimitMB=${volumeSizeMb}`, `-volume.max=${volumeCount}`,
      `-volume.port=${ports.volume}`, `-volume.port.grpc=${ports.volumeGrpc}`,
      `-filer.port=${ports.filer}`, `-filer.port.grpc=${ports.filerGrpc}`,
      `-admin.port=${ports.admin}`, '-admin.ui=false', '-webdav=false',
    ],
    env: {
      ...bareEnvironment(dataDir),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      WEED_JWT_SIGNING_KEY: internalKey,
      WEED_JWT_SIGNING_READ_KEY: internalKey,
      WEED_JWT_FILER_SIGNING_KEY: internalKey,
      WEED_JWT_FILER_SIGNING_READ_KEY: internalKey,
      // Its garbage is the buffers of finished requests. About 230 MB of what it holds is never touched, so takes no memory, but counts for
      // this limit: beneath it the collector never rests (15% of a core when idle, against 0.5%), and little is saved (129 against 157 MB
      // after 8 uploads and downloads of 16 MB at once; 470 MB with GOGC=20 and no limit).
      GOMEMLIMIT: '320MiB',
    },
    cwd: dataDir,
    prepare: async () => {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
    },
    afterStop: () => removeSockets(ports),
    readiness: { kind: 'probe', check: async () => (await hasBucket(ports.s3, accessKeyId, secretAccessKey)) && (await findsVolumes(ports)) },
    readyTimeoutMs: 60_000,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    url: `http://${loopback}:${ports.s3}`,
  };
}

/** It opens unix sockets in `/tmp`, named for its ports, and leaves them there. */
async function removeSockets(ports: S3Options['ports']): Promise<void> {
  const grpc = { master: ports.masterGrpc, volume: ports.volumeGrpc, filer: ports.filerGrpc, s3: ports.s3Grpc, admin: ports.admin + s3PortCompanions.admin };
  const names = [`s3-${ports.s3}`, `filer-${ports.filer}`, ...Object.entries(grpc).map(([part, port]) => `${part}-grpc-${port}`)];
  await Promise.all(names.map((name) => rm(`/tmp/seaweedfs-${name}.sock`, { force: true })));
}

/** The bucket is the last thing the store makes at its start; a signed question shows that the credentials are in force as well. */
async function hasBucket(port: number, accessKeyId: string, secretAccessKey: string): Promise<boolean> {
  const url = new URL(`http://${loopback}:${port}/${s3Bucket}`);
  const headers = signRequest('HEAD', url, { accessKeyId, secretAccessKey, region: s3Region }, new Date());
  return (await fetch(url, { method: 'HEAD', headers, signal: AbortSignal.timeout(2_000) })).ok;
}

/**
 * Whether what was stored can be read: its master finds a file only where a volume server has reported to it, and one that asked before the
 * master had elected itself asks again seconds later, while the bucket is there and every read fails.
 */
async function findsVolumes({ master, volume }: Pick<S3Options['ports'], 'master' | 'volume'>): Promise<boolean> {
  const [topology, held] = await Promise.all([ask<Topology>(master, '/dir/status'), ask<Held>(volume, '/status')]);
  const nodes = (topology?.Topology?.DataCenters ?? []).flatMap(({ Racks }) => Racks ?? []).flatMap(({ DataNodes }) => DataNodes ?? []);
  const node = nodes.find(({ Url }) => Url === `${loopback}:${volume}`);
  return held !== undefined && node !== undefined && node.Volumes >= (held.Volumes ?? []).length;
}

interface Topology {
  Topology?: { DataCenters?: { Racks?: { DataNodes?: { Url: string; Volumes: number }[] | null }[] | null }[] | null };
}

interface Held {
  Volumes?: unknown[] | null;
}

async function ask<T>(port: number, path: string): Promise<T | undefined> {
  const response = await fetch(`http://${loopback}:${port}${path}`, { signal: AbortSignal.timeout(2_000) });
  return response.ok ? ((await response.json()) as T) : undefined;
}
