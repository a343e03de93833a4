import { z } from 'zod';
import { ApiKey } from '../../contract/api-key.js';
import { Duration, ModelName } from '../../contract/api/requests.js';
import { Instant } from '../../contract/ref.js';
import { parseDuration } from '../../domain/times.js';
import { UsageError } from '../errors.js';
import { plain, type Register } from '../register.js';
import { moment, table } from '../table.js';

const Made = z.object({ key: ApiKey, secret: z.string() });
const Rotated = Made.extend({ formerUntil: z.string() });
const Changed = z.object({ key: ApiKey });
const Listed = z.object({ keys: z.array(ApiKey.extend({ usedToday: z.int(), secrets: z.array(z.object({ madeAt: z.string(), validUntil: z.string().nullable() })) })) });
type Listed = z.infer<typeof Listed>['keys'][number];

interface Wanted { model: string[]; environment: string; predict?: boolean; label?: boolean; rate?: string; daily?: string; expires?: string }

const at = (name: string) => `/keys/${encodeURIComponent(name)}`;
const ONCE = 'keep it: it is not shown again';

export const addKeyCommands: Register = (add, program) => {
  const key = program.command('key').description('API keys of application teams');
  add<[string], Wanted>(key, 'create <name>', 'make a key for some models of an environment; it is shown once',
    (command) => command.requiredOption('--model <name...>', 'the models that it may ask').option('--environment <name>', 'where', 'production')
      .option('--predict', 'it may ask for predictions (so it may, where neither is given)').option('--label', 'it may give labels')
      .option('--rate <n/unit>', 'most predictions by time, on average: 100/s, 600/min, 5000/h').option('--daily <n>', 'most predictions a day (UTC)').option('--expires <when>', 'from now (90d), or at a time (2027-01-31T00:00:00Z)'),
    async (context, { model, environment, predict = false, label = false, rate, daily, expires }, name) => {
      const wrong = model.find((one) => !ModelName.safeParse(one).success);
      if (wrong !== undefined) throw new UsageError(`--model: "${wrong}" is not a model's name`);
      const scopes = predict || !label ? ['predict', ...(label ? ['label'] : [])] : ['label'];
      const answer = await context.api.post(Made, '/keys', { name, environment, models: model, scopes, ratePerSecond: rate === undefined ? null : perSecond(rate), daily: daily === undefined ? null : whole(daily), expiresAt: expires === undefined ? null : timeOf(expires) });
      context.answer(answer, () => `${answer.secret}\n${ONCE}`);
      return 0;
    });
  add<[string], { overlap: string }>(key, 'rotate <name>', 'make a new secret for a key; it is shown once', (command) => command.option('--overlap <duration>', 'for how long the one before is good beside it (0s: not at all)', '24h'),
    async (context, { overlap }, name) => {
      if (!Duration.safeParse(overlap).success) throw new UsageError(`--overlap: a whole number and a unit (30s, 15m, 12h, 7d), found "${overlap}"`);
      const answer = await context.api.post(Rotated, `${at(name)}/rotate`, { overlap });
      context.answer(answer, () => `${answer.secret}\n${ONCE} · the one before is good until ${moment(answer.formerUntil)}`);
      return 0;
    });
  add<[string]>(key, 'revoke <name>', 'a key stops counting', plain, async (context, _options, name) => {
    const answer = await context.api.post(Changed, `${at(name)}/revoke`, {});
    context.answer(answer, () => `revoked: ${name}`);
    return 0;
  });
  add(key, 'list', 'keys, what they may and what of it they used today', plain, async (context) => {
    const answer = await context.api.get(Listed, '/keys');
    context.answer(answer, () => table(['KEY', 'ENVIRONMENT', 'MODELS', 'MAY', 'RATE', 'TODAY', 'DAILY', 'STATE'],
      answer.keys.map((one) => [one.name, one.environment, one.models.join(', '), one.scopes.join(', '), one.ratePerSecond === null ? null : rateText(one.ratePerSecond), one.usedToday, one.daily, stateOf(one)])));
    return 0;
  });
};

const SECONDS = { s: 1, min: 60, h: 3_600 } as const;

/** `100/s`, `600/min` or `5000/h` as predictions a second. */
function perSecond(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?)\/(s|min|h)$/.exec(text) ?? [];
  if (!(Number(count) > 0)) throw new UsageError(`--rate: a number of predictions by second, minute or hour (100/s, 600/min, 5000/h), found "${text}"`);
  return Number(count) / SECONDS[unit as keyof typeof SECONDS];
}

function rateText(rate: number): string {
  const [unit, seconds] = rate >= 1 ? ['s', SECONDS.s] as const : rate * 60 >= 1 ? ['min', SECONDS.min] as const : ['h', SECONDS.h] as const;
  return `${Number((rate * seconds).toPrecision(6))}/${unit}`;
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`--daily: a whole number of predictions from 1 on, found "${text}"`);
  return Number(text);
}

function timeOf(text: string): string {
  if (Duration.safeParse(text).success) return new Date(Date.now() + parseDuration(text)).toISOString();
  if (!Instant.safeParse(text).success) throw new UsageError(`--expires: a duration (90d) or a time with its offset (2027-01-31T00:00:00Z), found "${text}"`);
  return text;
}

function stateOf({ revokedAt, expiresAt, secrets }: Listed): string {
  if (revokedAt !== null) return `revoked ${moment(revokedAt)}`;
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) return `expired ${moment(expiresAt)}`;
  const former = secrets.map(({ validUntil }) => validUntil).filter((until) => until !== null).sort().at(-1);
  return ['good', ...(expiresAt === null ? [] : [`until ${moment(expiresAt)}`]), ...(former === undefined ? [] : [`its former secret until ${moment(former)}`])].join(', ');
}
