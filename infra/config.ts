import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ConfigError } from './config/error.js';
import { processesFor } from './config/processes.js';
import { loadTemporalConfig, type TemporalConfig } from './config/temporal.js';
import { mergeVariables, ServerPort, serverVariable, shownValue, Variables, type VariableGroup } from './config/variables.js';
import { sqlVariable } from '../contract/names.js';
import { isErrno } from './stack/files.js';
import { findHome, homeLayout } from './stack/home.js';
import { parseStackFile } from './stack/state.js';

export { ConfigError } from './config/error.js';
export type { TemporalConfig, TemporalTls } from './config/temporal.js';

export interface S3Config {
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  forcePathStyle: boolean;
}

/** Where a process of ours listens, and the address others use. */
export interface Listener {
  host: string;
  port: number;
  url: string;
}

/** Files in PEM: a certificate chain and its private key. */
export interface TlsFiles { certificate: string; key: string }

export interface Config {
  /** the state folder, an absolute path */
  home: string;
  temporal: TemporalConfig;
  databaseUrl: string;
  s3: S3Config;
  smtpUrl: string;
  mailFrom: string;
  gateway: Listener;
  /** prediction servers by environment (`test`, `production`, …) */
  servers: Record<string, Listener>;
  /** files with the certificate and the private key of prediction servers; null: they speak HTTP without TLS */
  serverTls: TlsFiles | null;
  /** the same of the gateway */
  gatewayTls: TlsFiles | null;
  /** how long a prediction server that is told to stop goes on answering */
  serverDrainMs: number;
  /** how long a request to a prediction server may take to arrive */
  serverUploadMs: number;
  /** HTTP processes of each prediction server */
  serverProcesses: number;
  /** memory that all runners of a prediction server may have together */
  serverMemoryBytes: number;
  /** where predictions are sent as CloudEvents, the name of the secret that goes with them, and for how long one waits; null: nowhere */
  events: { url: string; secretName: string | null; days: number } | null;
  /** for how many days PostgreSQL keeps predictions that are in S3 */
  predictionDays: number;
  /** how people reach the gateway; links in mails start with it */
  publicUrl: string;
  secretsDir: string;
  /** the address of a database that definitions read from; null where it was not set */
  sqlConnection: (name: string) => string | null;
  /** the secret that pseudonyms are made with, where the environment gives it */
  givenPseudonymKey: string | null;
}

export interface LoadConfigOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** groups that must have an address; reading one that is neither here nor given throws then, instead of at once */
  need?: readonly VariableGroup[];
}

const defaultServerPorts: Readonly<Record<string, number>> = { production: 7421, test: 7422 };

/**
 * The configuration: environment variables over what the supervisor noted in `.perennial/stack.json`, checked.
 * @throws ConfigError naming each variable that is missing or wrong; values that may be secret are not shown
 */
export function loadConfig({ env = process.env, cwd = process.cwd(), need = ['temporal', 'postgres', 's3', 'smtp'] }: LoadConfigOptions = {}): Config {
  const home = findHome(env, cwd);
  const variables = mergeVariables(env, readNoted(homeLayout(home).stackFile));
  const parsed = Variables.safeParse(variables);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: expected ${message}, found ${shownValue(path.join('.'), variables[path.join('.')])}`));
  }
  const checked = parsed.data;
  const [serverTls, gatewayTls] = [tlsOf(checked, 'SERVER'), tlsOf(checked, 'GATEWAY')];
  const gateway = listener(checked.PERENNIAL_GATEWAY_HOST, checked.PERENNIAL_GATEWAY_PORT, checked.PERENNIAL_GATEWAY_URL, gatewayTls ? 'https' : 'http');
  const config = {
    home,
    mailFrom: checked.PERENNIAL_MAIL_FROM,
    gateway,
    servers: serversOf(variables, checked.PERENNIAL_SERVER_HOST, serverTls !== null),
    serverTls,
    gatewayTls,
    publicUrl: checked.PUBLIC_URL ?? gateway.url,
    events: checked.PERENNIAL_EVENTS_URL === undefined ? null : { url: checked.PERENNIAL_EVENTS_URL, secretName: checked.PERENNIAL_EVENTS_SECRET ?? null, days: checked.PERENNIAL_EVENTS_DAYS },
    predictionDays: checked.PERENNIAL_PREDICTION_DAYS,
    serverDrainMs: checked.PERENNIAL_SERVER_DRAIN_MS,
    serverUploadMs: checked.PERENNIAL_SERVER_UPLOAD_MS,
    serverProcesses: checked.PERENNIAL_SERVER_PROCESSES ?? processesFor(availableParallelism()),
    serverMemoryBytes: checked.PERENNIAL_SERVER_MEMORY,
    secretsDir: homeLayout(home).secretsDir,
    sqlConnection: (name: string) => variables[sqlVariable(name)] ?? null,
    givenPseudonymKey: checked.PERENNIAL_PSEUDONYM_KEY ?? null,
  };
  const problems: string[] = [];
  const add = <Key extends 'temporal' | 'databaseUrl' | 's3' | 'smtpUrl'>(group: VariableGroup, key: Key, read: () => Config[Key]): void => {
    try {
      Object.defineProperty(config, key, { value: read(), enumerable: true });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (need.includes(group)) problems.push(...error.problems);
      else Object.defineProperty(config, key, { get: (): never => { throw error; }, enumerable: false });
    }
  };
  add('temporal', 'temporal', () => loadTemporalConfig(variables) ?? missing('TEMPORAL_ADDRESS', 'Temporal', home));
  add('postgres', 'databaseUrl', () => checked.DATABASE_URL ?? missing('DATABASE_URL', 'PostgreSQL', home));
  add('s3', 's3', () => s3Of(checked, home));
  add('smtp', 'smtpUrl', () => checked.SMTP_URL ?? missing('SMTP_URL', 'mail server', home));
  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config;
}

function readNoted(stackFile: string): Readonly<Record<string, string>> {
  try {
    return parseStackFile(stackFile, readFileSync(stackFile, 'utf8')).env;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return {};
    throw error;
  }
}

function missing(variable: string, part: string, home: string): never {
  throw new ConfigError([`${variable}: expected an address, found nothing, and ${home} knows of no embedded ${part}: run \`perennial up\`, or set it`]);
}

function tlsOf(variables: Variables, of: 'SERVER' | 'GATEWAY'): TlsFiles | null {
  const [certificate, key] = [variables[`PERENNIAL_${of}_TLS_CERT`], variables[`PERENNIAL_${of}_TLS_KEY`]];
  if (certificate === undefined && key === undefined) return null;
  if (certificate === undefined || key === undefined) throw new ConfigError([`PERENNIAL_${of}_TLS_${certificate === undefined ? 'CERT' : 'KEY'}: expected a file beside PERENNIAL_${of}_TLS_${certificate === undefined ? 'KEY' : 'CERT'}, found nothing`]);
  return { certificate, key };
}

function listener(host: string, port: number, url?: string, protocol: 'http' | 'https' = 'http'): Listener {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return { host, port, url: (url ?? `${protocol}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`).replace(/\/$/, '') };
}

/** Each `PERENNIAL_SERVER_<ENVIRONMENT>_PORT`, with `_URL` beside it where the server is reached at another address. */
function serversOf(variables: Readonly<Record<string, string>>, host: string, withTls: boolean): Record<string, Listener> {
  const ports: Record<string, number> = { ...defaultServerPorts };
  for (const [name, value] of Object.entries(variables)) {
    const environment = /^PERENNIAL_SERVER_([A-Z0-9_]+)_PORT$/.exec(name)?.[1];
    if (environment === undefined) continue;
    const port = ServerPort.safeParse(value);
    if (!port.success) throw new ConfigError([`${name}: expected a port from 1 to 65535, found ${shownValue(name, value)}`]);
    ports[environment.toLowerCase().replaceAll('_', '-')] = port.data;
  }
  return Object.fromEntries(Object.entries(ports).map(([environment, port]) => [environment, listener(host, port, variables[`${serverVariable(environment)}_URL`], withTls ? 'https' : 'http')]));
}

function s3Of(checked: Variables, home: string): S3Config {
  const region = checked.AWS_REGION ?? checked.AWS_DEFAULT_REGION ?? 'us-east-1';
  const { S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = checked;
  if (checked.S3_ENDPOINT === undefined && bucket === undefined) return missing('S3_BUCKET', 'object store', home);
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    const absent = Object.entries({ S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }).filter(([, value]) => value === undefined);
    throw new ConfigError(absent.map(([name]) => `${name}: expected a value beside S3_ENDPOINT or S3_BUCKET, found nothing`));
  }
  return {
    endpoint: checked.S3_ENDPOINT ?? `https://s3.${region}.amazonaws.com`,
    bucket,
    region,
    accessKeyId,
    secretAccessKey,
    ...(checked.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: checked.AWS_SESSION_TOKEN }),
    forcePathStyle: checked.S3_FORCE_PATH_STYLE ?? checked.S3_ENDPOINT !== undefined,
  };
}
