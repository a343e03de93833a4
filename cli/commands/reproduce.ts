import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Reproduction } from '../../contract/reproduction.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { RunError } from '../../contract/run.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import { createProgressLine } from '../progress-line.js';
import type { Register } from '../register.js';
import { figure, table } from '../table.js';

const Asked = z.object({ reproduction: z.string(), model: z.string(), version: z.int() });
const Answer = z.object({ id: z.string(), status: z.string(), reproduction: Reproduction.nullable(), error: RunError.nullable() });

const POLL_MS = 500;

export const addReproduceCommand: Register = (add, program) => {
  add<[string], { tolerance?: string; detach?: boolean }>(program, 'reproduce <version>', 'build a version again from its stored code, rows and seed, and compare (car-truck@3)',
    (command) => command.option('--tolerance <difference>', 'largest difference of two weights that counts as the same (none where one thread trained it, else 0.001)').option('--detach', 'only ask for it'),
    async (context, { tolerance, detach = false }, name) => {
      const parsed = VersionName.safeParse(name);
      if (!parsed.success) throw new UsageError(`"${name}": ${parsed.error.issues[0]?.message ?? 'not a version'}`);
      if (tolerance !== undefined && !(Number(tolerance) >= 0 && Number(tolerance) <= 1)) throw new UsageError(`--tolerance: a number from 0 to 1, found "${tolerance}"`);
      const { model, version } = parseVersionName(name);
      const asked = await context.api.post(Asked, `/models/${model}/versions/${version}/reproduce`, { tolerance: tolerance === undefined ? null : Number(tolerance), id: randomUUID() });
      if (detach) {
        context.answer(asked, () => `asked: reproduction ${asked.reproduction} of ${name}; \`perennial audit ${name}\` shows what came of it`);
        return 0;
      }
      const done = await waitFor(context, asked);
      context.answer(done, () => reproductionText(context, name, done));
      return done.status === 'identical' || done.status === 'within-tolerance' ? 0 : 1;
    });
};

async function waitFor(context: Context, { reproduction: id, model, version }: z.infer<typeof Asked>): Promise<Reproduction> {
  const line = createProgressLine(context);
  context.note(`reproduction ${id}: waiting for a training worker`);
  for (let seen = ''; ; await sleep(POLL_MS)) {
    const { reproduction, error } = await context.api.get(Answer, `/reproductions/${id}`, { model, version });
    if (error) throw new CommandError(error.code, error.message, error.next);
    if (reproduction && reproduction.status !== 'running') {
      line.end();
      return reproduction;
    }
    const progress = JSON.stringify(reproduction?.progress);
    if (!reproduction?.progress || progress === seen || context.json) continue;
    seen = progress;
    line.progress({ id: 0, run: id, eventId: 'reproduction-0', at: new Date().toISOString(), kind: 'progress', step: 'train', message: '', data: { ...reproduction.progress } });
  }
}

function reproductionText(context: Pick<Context, 'paint'>, name: string, { report, status }: Reproduction): string {
  const { paint } = context;
  const verdict = { identical: paint.green('identical'), 'within-tolerance': paint.green('the same within the tolerance'), different: paint.red('different'), running: status, failed: paint.red('failed') }[status];
  if (!report) return `${paint.bold(name)}: ${verdict}`;
  const off = report.metrics.filter(({ then, now }) => then !== now);
  return [
    `${paint.bold(name)}, built again: ${verdict}`,
    ...report.because.map((reason) => `  ${reason}`),
    ...(report.environment.length > 0 ? ['', table(['ENVIRONMENT', 'THEN', 'NOW'], report.environment.map(({ what, then, now }) => [what, then, now]))] : []),
    '', table(['FIGURE', 'THEN', 'NOW'], (off.length > 0 ? off : report.metrics).map((one) => [one.name, figure(one.then, 4), figure(one.now, 4)])),
    ...(report.weights.tensors.length > 0 ? ['', table(['WEIGHTS', 'DIFFER', 'LARGEST DIFFERENCE'], report.weights.tensors.map((tensor) => [tensor.name, tensor.differing, tensor.largest === null ? null : tensor.largest.toPrecision(3)]))] : []),
  ].join('\n');
}
