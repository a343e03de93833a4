import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import type { Register } from '../register.js';
import { ModelView, Requested, RolledBack } from '../views.js';

const SETTLE_MS = 60_000;
const HINT_MS = 5_000;
const environmentOption = ['--environment <name>', 'where', 'production'] as const;

export const addOperationCommands: Register = (add, program) => {
  add<[string], { force?: boolean; wait: boolean }>(program, 'release <version>', 'release an approved version (car-truck@3)',
    (command) => command.option('--force', 'also when it is older than what is live').option('--no-wait', 'do not wait until every replica serves it'),
    async (context, { force = false, wait }, name) => {
      const { model, version } = versionOf(name);
      const asked = await context.api.post(Requested, `/models/${model}/release`, { version, force, id: randomUUID() });
      const environment = typeof asked['environment'] === 'string' ? asked['environment'] : 'production';
      return settle(context, { model, environment, version, wait, answer: asked });
    });

  add<[string], { environment: string; reason: string; to?: string; wait: boolean; breakGlass?: boolean; id?: string }>(program, 'rollback <model>', 'go back to the version before, and quarantine the one that is left',
    (command) => command.option(...environmentOption).requiredOption('--reason <text>', 'why').option('--to <version>', 'to this one (car-truck@1)').option('--no-wait', 'do not wait until every replica serves it').option('--break-glass', 'write the route at once, past the workflow: when no worker is up').option('--id <id>', 'of a rollback that was asked for before, so that it happens once'),
    async (context, { environment, reason, to, wait, breakGlass = false, id = randomUUID() }, model) => {
      const body = { environment, reason, to: to === undefined ? null : versionOf(to, model).version, id, breakGlass };
      const done = await rollBack(context, model, body);
      if (done.breakGlass) context.note(context.paint.yellow(`written past the workflow (${done.why ?? 'asked for'}); it reconciles when Temporal is back`));
      const past = done.breakGlass ? '' : `; \`perennial rollback ${model} --environment ${environment} --reason … --break-glass --id ${id}\` goes past a workflow that has no worker`;
      return settle(context, { model, environment, version: done.to, wait, answer: done, past });
    });

  add<[string], { environment: string; reason: string }>(program, 'pause <model>', 'hold releases of a model', (command) => command.option(...environmentOption).requiredOption('--reason <text>', 'why'),
    async (context, { environment, reason }, model) => {
      const answer = await context.api.post(Requested, `/models/${encodeURIComponent(model)}/pause`, { environment, reason, id: randomUUID() });
      context.answer(answer, () => `releases of ${model} to ${environment} are held until \`perennial resume ${model}\``);
      return 0;
    });

  add<[string], { environment: string; reason: string }>(program, 'resume <model>', 'let releases go on; MODEL@VERSION also lifts that version\'s quarantine', (command) => command.option(...environmentOption).option('--reason <text>', 'why', 'resumed'),
    async (context, { environment, reason }, name) => {
      const { model, version } = VersionName.safeParse(name).success ? parseVersionName(name) : { model: name, version: null };
      const answer = await context.api.post(Requested, `/models/${encodeURIComponent(model)}/resume`, { environment, reason, version, id: randomUUID() });
      context.answer(answer, () => `releases of ${model} to ${environment} go on${version === null ? '' : `, the quarantine of ${name} is lifted`}`);
      return 0;
    });
};

async function rollBack(context: Context, model: string, body: Readonly<Record<string, unknown>>) {
  try {
    return await context.api.post(RolledBack, `/models/${encodeURIComponent(model)}/rollback`, body);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'gateway/unavailable') throw error;
    throw new CommandError(error.code, `${error.message}: nothing was rolled back, and the servers go on with what they serve`,
      'Start the gateway (`perennial up`, or only its process): a rollback needs it and PostgreSQL, not Temporal. Then repeat this command.');
  }
}

function versionOf(name: string, model?: string): { model: string; version: number } {
  const parsed = VersionName.safeParse(name);
  if (!parsed.success) throw new UsageError(`"${name}": ${parsed.error.issues[0]?.message ?? 'not a version'}`);
  const version = parseVersionName(name);
  if (model !== undefined && version.model !== model) throw new UsageError(`"${name}" is not a version of ${model}`);
  return version;
}

/** Reads back what the replicas really serve: asked for is not done. */
async function settle(context: Context, { model, environment, version, wait, answer, past = '' }: { model: string; environment: string; version: number; wait: boolean; answer: Readonly<Record<string, unknown>>; past?: string }): Promise<number> {
  const name = `${model}@${version}`;
  if (!wait) {
    context.answer({ ...answer, settled: false }, () => `asked: ${environment} goes to ${name}; see \`perennial show ${model}\``);
    return 0;
  }
  const begun = Date.now();
  let hinted = false;
  for (; Date.now() - begun < SETTLE_MS; await sleep(300)) {
    if (!hinted && Date.now() - begun > HINT_MS) {
      hinted = true;
      context.note(`still waiting for ${environment} to serve ${name}: \`perennial status\` shows whether a lifecycle worker and the servers are up${past}`);
    }
    const here = (await context.api.get(ModelView, `/models/${encodeURIComponent(model)}`)).environments.find((one) => one.environment === environment);
    if (here?.live !== version || !here.settled || here.replicas.some((replica) => replica.version !== version)) continue;
    const by = here.replicas.length === 0 ? 'no replica holds a lease: servers load it when they start' : `served by ${here.replicas.map((replica) => replica.replica).join(', ')}`;
    context.answer({ ...answer, settled: true, generation: here.route?.generation, replicas: here.replicas }, () => `${context.paint.green('done')}: ${environment} serves ${name} (${by})`);
    return 0;
  }
  throw new CommandError('release/unconfirmed', `${environment} did not come to serve ${name} within ${SETTLE_MS / 1000} s`, `See what serves with \`perennial show ${model}\`, and the parts with \`perennial status\`.`, answer);
}
