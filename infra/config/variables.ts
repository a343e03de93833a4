import { z } from 'zod';
import { memoryBytes, MEMORY_FORM } from './memory.js';

/** Variables by group. A group is taken whole: from the environment where one of its addresses is set there, else from `stack.json`. */
export const variableGroups = {
  temporal: {
    addresses: ['TEMPORAL_ADDRESS', 'TEMPORAL_CONFIG_FILE', 'TEMPORAL_PROFILE'],
    others: /^TEMPORAL_/,
  },
  postgres: { addresses: ['DATABASE_URL'], others: /^DATABASE_URL$/ },
  s3: { addresses: ['S3_ENDPOINT', 'S3_BUCKET'], others: /^(S3|AWS)_/ },
  smtp: { addresses: ['SMTP_URL'], others: /^SMTP_URL$/ },
} as const;
export type VariableGroup = keyof typeof variableGroups;

/** Values of these are never shown. */
const secrets = new Set(['DATABASE_URL', 'SMTP_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'PERENNIAL_PSEUDONYM_KEY', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS_CLIENT_KEY_DATA', 'TEMPORAL_TLS_CLIENT_CERT_DATA']);

/** True where the environment says where this part is, so that no embedded one is wanted. */
export function givenInEnvironment(group: VariableGroup, env: NodeJS.ProcessEnv): boolean {
  return variableGroups[group].addresses.some((name) => env[name] !== undefined && env[name] !== '');
}

/** The variables in force: the environment over what the supervisor noted, each group from one of the two only. */
export function mergeVariables(env: NodeJS.ProcessEnv, noted: Readonly<Record<string, string>>): Record<string, string> {
  const groups = Object.keys(variableGroups) as VariableGroup[];
  const merged: Record<string, string> = {};
  const isOf = (name: string): VariableGroup | undefined => groups.find((group) => variableGroups[group].others.test(name));
  for (const [name, value] of Object.entries(noted)) {
    const group = isOf(name);
    if (group === undefined || !givenInEnvironment(group, env)) merged[name] = value;
  }
  for (const [name, value] of Object.entries(env)) {
    const group = isOf(name);
    const groupIsNoted = group !== undefined && Object.keys(noted).some((known) => isOf(known) === group);
    if (value !== undefined && value !== '' && (group === undefined || givenInEnvironment(group, env) || !groupIsNoted)) merged[name] = value;
  }
  return merged;
}

const hostAndPort = 'host:port, such as 127.0.0.1:7233';
const flag = 'true or false';

function address(protocols: readonly string[], expected: string): z.ZodType<string> {
  return z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), expected);
}

const Port = z.string().regex(/^\d{1,5}$/, 'a port from 1 to 65535').transform(Number).refine((port) => port >= 1 && port <= 65_535, 'a port from 1 to 65535');
const Flag = z.stringbool({ error: flag });
const Host = z.string().regex(/^[^\s/]+$/, 'a host name or address, without a port');

/** What Perennial reads from its environment. Messages say what is expected; see `ConfigError`. */
export const Variables = z.object({
  TEMPORAL_ADDRESS: z.string().regex(/^(\[[^\]]+\]|[^\s:/]+):\d{1,5}$/, hostAndPort).optional(),
  TEMPORAL_NAMESPACE: z.string().min(1, 'the name of a namespace').optional(),
  DATABASE_URL: address(['postgres:', 'postgresql:'], 'postgres://user:password@host:port/database').optional(),
  S3_ENDPOINT: address(['http:', 'https:'], 'an http or https address').optional(),
  S3_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket: 3 to 63 of a-z 0-9 . -').optional(),
  S3_FORCE_PATH_STYLE: Flag.optional(),
  AWS_REGION: z.string().min(1, 'the name of a region, such as us-east-1').optional(),
  AWS_DEFAULT_REGION: z.string().min(1, 'the name of a region, such as us-east-1').optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1, 'an access key id').optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1, 'a secret access key').optional(),
  AWS_SESSION_TOKEN: z.string().min(1, 'a session token').optional(),
  SMTP_URL: address(['smtp:', 'smtps:'], 'smtp://host:port or smtps://user:password@host:port').optional(),
  PERENNIAL_MAIL_FROM: z.string().regex(/@/, 'a mail address').default('perennial@localhost'),
  PERENNIAL_PSEUDONYM_KEY: z.string().min(32, 'a secret of 32 characters or more').optional(),
  PERENNIAL_EVENTS_URL: address(['http:', 'https:'], 'an http or https address').refine((url) => new URL(url).username === '' && new URL(url).password === '', 'an address without a user and a password: name a secret with PERENNIAL_EVENTS_SECRET').optional(),
  PERENNIAL_EVENTS_SECRET: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'the name of a file in the folder secrets/').optional(),
  PERENNIAL_EVENTS_DAYS: z.string().regex(/^\d{1,3}$/, 'days, from 1 to 365').transform(Number).refine((days) => days >= 1 && days <= 365, 'days, from 1 to 365').default(3),
  PERENNIAL_PREDICTION_DAYS: z.string().regex(/^\d{1,5}$/, 'days, from 30 to 36500').transform(Number).refine((days) => days >= 30 && days <= 36_500, 'days, from 30 to 36500').default(400),
  PERENNIAL_GATEWAY_HOST: Host.default('127.0.0.1'),
  PERENNIAL_GATEWAY_PORT: Port.default(7420),
  PERENNIAL_GATEWAY_TLS_CERT: z.string().startsWith('/', 'an absolute path').optional(),
  PERENNIAL_GATEWAY_TLS_KEY: z.string().startsWith('/', 'an absolute path').optional(),
  PERENNIAL_GATEWAY_URL: address(['http:', 'https:'], 'an http or https address').optional(),
  PERENNIAL_SERVER_DRAIN_MS: z.string().regex(/^\d{1,5}$/, 'milliseconds, at most 20000').transform(Number).refine((ms) => ms <= 20_000, 'milliseconds, at most 20000').default(5_000),
  PERENNIAL_SERVER_HOST: Host.default('127.0.0.1'),
  PERENNIAL_SERVER_MEMORY: z.string().refine((text) => memoryBytes(text) !== null, MEMORY_FORM).default('70%').transform((text) => memoryBytes(text) ?? 0),
  PERENNIAL_SERVER_PROCESSES: z.string().regex(/^([1-9]|[1-5]\d|6[0-4])$/, 'a number from 1 to 64').transform(Number).optional(),
  PERENNIAL_SERVER_TLS_CERT: z.string().startsWith('/', 'an absolute path').optional(),
  PERENNIAL_SERVER_TLS_KEY: z.string().startsWith('/', 'an absolute path').optional(),
  PERENNIAL_SERVER_UPLOAD_MS: z.string().regex(/^\d{4,7}$/, 'milliseconds, from 1000 to 3600000').transform(Number).refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'milliseconds, from 1000 to 3600000').default(60_000),
  PUBLIC_URL: address(['http:', 'https:'], 'an http or https address').optional(),
});
export type Variables = z.infer<typeof Variables>;

export const ServerPort = Port;

/** First part of the variables of an environment's server: `PERENNIAL_SERVER_TEST` for `test`. */
export function serverVariable(environment: string): string {
  return `PERENNIAL_SERVER_${environment.toUpperCase().replaceAll('-', '_')}`;
}

/** What a message may show of a value. */
export function shownValue(name: string, value: string | undefined): string {
  if (value === undefined) return 'nothing';
  return secrets.has(name) ? `a value of ${value.length} characters (not shown)` : JSON.stringify(value);
}
