import { down } from '../../infra/supervisor/down.js';
import { programNames, type ProgramName } from '../../infra/supervisor/programs.js';
import { readStatus } from '../../infra/supervisor/read-status.js';
import type { ProgramStatus, SupervisorStatus } from '../../infra/supervisor/status.js';
import { up } from '../../infra/supervisor/up.js';
import { z } from 'zod';
import { exchange } from '../api.js';
import type { Context } from '../command.js';
import { CommandError, tell, UsageError, type Told } from '../errors.js';
import { plain, type Register } from '../register.js';
import { table } from '../table.js';
import { Models } from '../views.js';

const Health = z.object({ status: z.string(), parts: z.record(z.string(), z.boolean()) });

export const addStackCommands: Register = (add, program) => {
  add<[], { foreground?: boolean; only?: string }>(program, 'up', 'start everything whose address is not given', (command) => command.option('--foreground', 'stay, until a signal ends it').option('--only <names>', `some of ${programNames.join(',')}`),
    async (context, { foreground = false, only }) => {
      const { home } = context.config;
      const result = await up({ home, detach: !foreground, env: context.io.env, ...(only === undefined ? {} : { only: programsOf(only) }), onProgress: createReporter(context) });
      const gateway = result.status?.programs.find((one) => one.name === 'gateway')?.url;
      context.answer({ home, ...result }, () => (result.state === 'stopped' ? 'stopped' : `${result.state === 'started' ? 'up' : 'was up already'}: ${home}${gateway ? `\ngateway ${gateway}` : ''}\nnext: perennial status`));
      return 0;
    });

  add(program, 'down', 'end everything that runs on this state folder', plain, async (context) => {
    const result = await down({ home: context.config.home, onProgress: createReporter(context) });
    context.answer({ home: context.config.home, ...result }, () => `${result.state === 'stopped' ? 'down' : 'was not running'}${result.orphans > 0 ? ` (${result.orphans} left-over processes ended)` : ''}`);
    return 0;
  });

  add(program, 'status', 'what runs, and what serves', plain, async (context) => {
    const { home, gateway } = context.config;
    const { running, status } = await readStatus(home);
    const health = await ask(async () => Health.parse(JSON.parse((await exchange(`${gateway.url}/api/v1/health`, {}, gateway.url)).text)));
    const models: Asked<z.infer<typeof Models>> = health.value ? await ask(() => context.api.get(Models, '/models')) : { error: health.error };
    const away = Object.entries(health.value?.parts ?? { gateway: false }).filter(([, up_]) => !up_).map(([name]) => name);
    context.answer({ home, supervisor: running, programs: status?.programs ?? [], health: health.value ?? null, models: models.value?.models ?? null, away, ...(models.error ? { error: models.error } : {}) }, () => [
      `${context.paint.bold(home)}  supervisor ${running ? context.paint.green('running') : context.paint.yellow('not running')}`,
      ...(running && status ? [programsTable(context, status.programs)] : []),
      ...(away.length > 0 ? [context.paint.red(`away: ${away.join(', ')}`)] : []), '',
      ...(models.value ? [modelsTable(models.value.models)] : [`${models.error?.message ?? ''}\nnext: ${models.error?.next ?? ''}`]),
    ].join('\n'));
    return away.length > 0 || !models.value ? 1 : 0;
  });
};

interface Asked<T> { readonly value?: T; readonly error?: Told | undefined }

async function ask<T>(work: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof CommandError) return { error: tell(error) };
    throw error;
  }
}

function programsTable({ paint }: Context, programs: readonly ProgramStatus[]): string {
  return table(['PART', 'STATE', 'PID', 'RESTARTS', 'ADDRESS', 'LAST FAILURE'], programs.map((one) => [one.name, one.state === 'ready' || one.state === 'done' ? paint.green(one.state) : paint.yellow(one.state), one.pid === undefined ? null : String(one.pid), one.restarts, one.url, one.lastFailure]));
}

function modelsTable(models: z.infer<typeof Models>['models']): string {
  if (models.length === 0) return 'no models yet: perennial init, then perennial repository add';
  return table(['MODEL', 'SERVES', 'RUNS', 'FINDINGS'], models.map((model) => [
    model.removed ? `${model.name} (paused: removed)` : model.name, model.serves.map((one) => `${one.environment} ${one.version === null ? 'nothing' : `${model.name}@${one.version}`}${one.paused ? ' (paused)' : ''}`).join(', '),
    model.open.map((one) => `${one.run} ${one.status === 'waiting' ? 'waits for a decision' : one.step}`).join(', '), model.findings,
  ]));
}

function programsOf(text: string): ProgramName[] {
  const parsed = z.array(z.enum(programNames)).safeParse(text.split(','));
  if (!parsed.success) throw new UsageError(`--only: names of ${programNames.join(', ')}, separated by commas`);
  return parsed.data;
}

/** Tells each program's change of state once. */
function createReporter(context: Context): (status: SupervisorStatus) => void {
  const told = new Map<string, string>();
  return ({ programs }) => {
    for (const { name, state, lastFailure } of programs) {
      if (told.get(name) === state) continue;
      told.set(name, state);
      context.note(`${name}: ${state}${state === 'restarting' || state === 'crash-looping' ? ` (${lastFailure ?? 'no reason noted'})` : ''}`);
    }
  };
}
