import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { preparePictures } from '../../infra/demo/pictures.js';
import type { PictureCounts } from '../../infra/demo/pictures.js';
import { darken } from '../../infra/demo/darken.js';
import { readTraffic } from '../../infra/demo/traffic.js';
import { loadNativeParts } from '../../infra/native.js';
import { followRun } from '../follow.js';
import { Anything, EvidenceView, Runs } from '../views.js';
import { accuracyOf } from './camera.js';
import type { CameraPicture } from './camera.js';
import { waitForMail } from './mails.js';
import type { Narrator } from './narrator.js';
import { commitAll, createRepository, shortened } from './repository.js';
import { FullChecks } from './world.js';
import type { Check, World } from './world.js';

const run = promisify(execFile);
export const APPROVER = 'ada';

export interface StoryOptions {
  readonly world: World;
  readonly narrator: Narrator;
  readonly home: string;
  readonly model: string;
  /** Pictures per role; the demo's unless a test tells a shorter story. */
  readonly counts: PictureCounts;
  /** As the definition's `monitoring.minimumLabels` says. */
  readonly labelsPerCheck: number;
  /** Changes the example's definition besides its times. */
  readonly edit?: (source: string) => string;
  /** What the accuracy has to be: by day at least, at night below, and at night after retraining at least. */
  readonly expected: { readonly day: number; readonly nightBelow: number; readonly recovered: number };
  /** Called at the named moments: a test kills processes there. */
  readonly at?: (moment: StoryMoment) => Promise<void>;
}
export type StoryMoment = 'training' | 'waiting' | 'approved';
export interface StoryResult { readonly runs: readonly [string, string]; readonly accuracy: { readonly day: number; readonly night: number; readonly recovered: number }; readonly releasedAt: readonly string[] }

/** The whole loop on real parts. Every step is checked as it is told; the first that did not really happen ends the story. */
export async function tellStory(options: StoryOptions): Promise<StoryResult> {
  const { world, narrator, home, model, counts, expected } = options;
  const { context } = world;
  const at = options.at ?? (async () => undefined);
  const pictures = join(home, 'demo', `pictures-${counts.train}`);
  const repository = join(home, 'demo', model);

  narrator.chapter('A team\'s repository, registered');
  await mkdir(join(home, 'demo'), { recursive: true });
  const manifest = await preparePictures({ cifarDir: loadNativeParts().cifar10, into: pictures, counts, onProgress: (message) => context.note(`   ${message}`) });
  narrator.say(`CIFAR-10's cars and trucks, every picture with one role: ${Object.entries(manifest.roles).map(([role, { rows }]) => `${role} ${rows}`).join(', ')}. Night pictures are darkened and blurred; 78% of those labelled later train, 22% test.`);
  await context.api.put(Anything, '/locations/pictures', { uri: pathToFileURL(pictures).href });
  await ensureApprover(world);
  await createRepository({ folder: repository, model, edit: (source) => (options.edit ?? ((text) => text))(shortened(source)) });
  narrator.command(`perennial repository add ${model} ${repository}`);
  narrator.say(await world.perennial('repository', 'add', model, repository));

  narrator.chapter('A commit starts the loop');
  narrator.command('git commit --message "Cars and trucks"');
  const printed = await commitAll(repository, 'Cars and trucks', { ...process.env, PERENNIAL_HOME: home });
  narrator.say(printed);
  const first = /run (\S+-r\d+)/.exec(printed)?.[1] ?? await world.until('the commit\'s run', async () => (await context.api.get(Runs, '/runs', { model })).runs[0]?.id);

  narrator.chapter('Intake, snapshot, training, evaluation, package, registration, test environment');
  const trained = at('training');
  await untilWaiting(options, first);
  await trained;

  narrator.chapter('The approver reads the evidence and approves by a signed signal');
  await at('waiting');
  await readEvidence(options, first);
  await approveBySignal(options, first);
  await at('approved');

  narrator.chapter('Release: warmed beside, switched, read back');
  const one = await untilReleased(options, first);

  narrator.chapter('Cameras ask, labels arrive, monitoring reports');
  const day = await allPictures(pictures, 'day');
  const dayAccuracy = await traffic(options, 'production', day, { light: 'day' });
  assertThat(dayAccuracy >= expected.day, `accuracy by day is ${dayAccuracy.toFixed(3)}, expected at least ${expected.day}`);
  await untilChecked(options, one, (check) => check.verdict === 'ok' && check.report.classification.n >= options.labelsPerCheck);

  narrator.chapter('Night comes');
  const night = await allPictures(pictures, 'night');
  const nightAccuracy = await traffic(options, 'production', night, { light: 'night' });
  assertThat(nightAccuracy < expected.nightBelow, `accuracy at night is ${nightAccuracy.toFixed(3)}, expected below ${expected.nightBelow}`);
  await untilChecked(options, one, (check) => check.verdict === 'findings');
  const alert = await waitForMail(join(home, 'mail'), 'the alert', ({ subject }) => subject.startsWith(`ALERT ${model}@`));
  narrator.say(`mail to ${alert.to}: ${alert.subject}`);

  narrator.chapter('It retrains, on a snapshot with the newly labelled night');
  const second = await world.until('the retraining', async () => (await context.api.get(Runs, '/runs', { model })).runs.find(({ reason }) => reason.kind === 'loss')?.id);
  await untilWaiting(options, second);
  await readEvidence(options, second);

  narrator.chapter('Approved and released: the second version');
  const evidence = await context.api.get(EvidenceView, `/runs/${second}/evidence`);
  narrator.command(`perennial approve ${second} --as ${APPROVER} --evidence ${evidence.digest.slice(0, 8)}`);
  narrator.say((await world.perennial('approve', second, '--as', APPROVER, '--evidence', evidence.digest.slice(0, 8), '--comment', 'night is a slice now')).split('\n').at(-1) ?? '');
  const two = await untilReleased(options, second);

  narrator.chapter('The accuracy recovers');
  const later = day.map((picture) => ({ ...picture, name: `${picture.name}-at-night`, pixels: darken(picture.pixels) }));
  const recovered = await traffic(options, 'production', later, { light: 'night' });
  assertThat(recovered >= expected.recovered, `accuracy at night is ${recovered.toFixed(3)} after retraining, expected at least ${expected.recovered}`);
  await untilChecked(options, two, (check) => check.verdict === 'ok' && check.report.classification.n >= options.labelsPerCheck);

  return { runs: [first, second], accuracy: { day: dayAccuracy, night: nightAccuracy, recovered }, releasedAt: [] };
}

async function ensureApprover(world: World): Promise<void> {
  const known = await world.context.api.get(Anything, '/principals') as { principals?: { id: string }[] };
  if (!known.principals?.some(({ id }) => id === APPROVER)) await world.perennial('principal', 'add', APPROVER, '--name', 'Ada Approver', '--email', 'ada@example.com');
  await world.perennial('principal', 'grant', APPROVER, 'approver');
  await world.perennial('principal', 'key', APPROVER);
}

/** The last event that was shown of each run, so that following it again goes on from there. */
const shown = new Map<string, number>();

async function follow({ context }: World, id: string, untilWaiting: boolean) {
  return followRun(context, id, { untilWaiting, after: shown.get(id) ?? 0, onEvent: (event) => shown.set(id, event.id) });
}

async function untilWaiting({ world, narrator }: StoryOptions, id: string): Promise<void> {
  narrator.command(`perennial show --follow ${id} --until waiting`);
  const view = await follow(world, id, true);
  assertThat(view.run.status === 'waiting', `${id} is ${view.run.status}: ${view.explanation.happened} ${view.explanation.next}`);
}

async function readEvidence({ narrator, home }: StoryOptions, id: string): Promise<void> {
  const mail = await waitForMail(join(home, 'mail'), `the evidence of ${id}`, ({ subject }) => subject.includes(`(${id})`));
  narrator.say(`mail to ${mail.to}: ${mail.subject} (${mail.pictures} pictures)\n${mail.text.split('\n').filter((line) => line.trim() !== '').map((line) => `| ${line}`).join('\n')}`);
}

/** Signs on this machine, and sends with a Temporal client that is not ours. */
async function approveBySignal({ world, narrator }: StoryOptions, id: string): Promise<void> {
  const { digest } = await world.context.api.get(EvidenceView, `/runs/${id}/evidence`);
  narrator.command(`perennial approve ${id} --as ${APPROVER} --evidence ${digest.slice(0, 8)} --print-signal | temporal workflow signal …`);
  const printed = JSON.parse(await world.perennial('approve', id, '--as', APPROVER, '--evidence', digest.slice(0, 8), '--comment', 'clear pictures are told apart well', '--print-signal', '--json')) as { decision: unknown };
  const { temporal } = world.context.config;
  const model = id.slice(0, id.lastIndexOf('-r'));
  await run(loadNativeParts().temporal, ['workflow', 'signal', '--address', temporal.address, '--namespace', temporal.namespace, '--workflow-id', `lifecycle/${model}/${id}`, '--name', 'decide', '--input', JSON.stringify(printed.decision)]);
}

async function untilReleased({ world, narrator, model }: StoryOptions, id: string): Promise<number> {
  const view = await follow(world, id, false);
  assertThat(view.run.status === 'released', `${id} is ${view.run.status}: ${view.explanation.happened} ${view.explanation.next}`);
  const version = view.run.version ?? 0;
  // A server that was restarted meanwhile is waited for: the release is done, and it follows the route.
  const served = await world.until(`a server of production that serves ${model}@${version}`, async () => (await world.model(model)).environments.find(({ environment, replicas }) => environment === 'production' && replicas.some((replica) => replica.version === version)));
  narrator.say(`${served.replicas.map((replica) => `${replica.replica} serves ${model}@${replica.version ?? 0}, generation ${replica.generation ?? 0}`).join('; ')}`);
  return version;
}

async function allPictures(folder: string, role: string): Promise<CameraPicture[]> {
  const rows: CameraPicture[] = [];
  for await (const row of readTraffic(folder, role)) rows.push(row);
  return rows;
}

/** Pictures go out and are answered; then, when all answers are on record, their labels arrive. */
async function traffic({ world, narrator, model }: StoryOptions, environment: string, pictures: readonly CameraPicture[], attributes: Record<string, string>): Promise<number> {
  const cameras = await world.cameras(environment, model);
  try {
    const began = Date.now();
    const answers = await cameras.send(pictures, attributes);
    const seconds = (Date.now() - began) / 1000;
    const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
    narrator.say(`${answers.length} pictures in ${seconds.toFixed(1)} s (p50 ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1)} ms), every one answered and logged`);
    await world.logShipped(environment);
    await cameras.label(pictures);
    const accuracy = accuracyOf(answers);
    narrator.say(`${pictures.length} labels arrive: ${(accuracy * 100).toFixed(1)}% were right`);
    return accuracy;
  } finally {
    cameras.close();
  }
}

async function untilChecked({ world, narrator, model }: StoryOptions, version: number, wanted: (check: Check) => boolean): Promise<void> {
  const check = await world.until(`a check of ${model}@${version}`, async () => (await world.context.api.get(FullChecks, `/models/${model}/checks`)).checks.find((one) => one.version === version && wanted(one)));
  const { accuracy, n, perClass } = check.report.classification;
  narrator.say([
    `monitoring check: ${check.verdict}, accuracy ${((accuracy ?? 0) * 100).toFixed(1)}% on the newest ${n} labels`,
    ...perClass.map((row) => `  ${row.class.padEnd(8)} precision ${((row.precision ?? 0) * 100).toFixed(1)}%  recall ${((row.recall ?? 0) * 100).toFixed(1)}%  F1 ${((row.f1 ?? 0) * 100).toFixed(1)}%  n ${row.support}`),
  ].join('\n'));
}

function assertThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
