import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { preparePictures } from '../../../infra/demo/pictures.js';
import { loadNativeParts } from '../../../infra/native.js';
import { Anything, Intake, RunView, type Run } from '../../../cli/views.js';
import { contextOf, type RunningHome } from './running-home.js';

const run = promisify(execFile);
export const CLASSES = ['car', 'truck'] as const;

/** A few real pictures: `train/<class>/*.png`, `test/<class>/*.png`, traffic `day`; bound to the location `pictures`. */
export async function layOutPictures(home: RunningHome): Promise<string> {
  const folder = join(home.home, 'pictures');
  await preparePictures({ cifarDir: loadNativeParts().cifar10, into: folder, counts: { train: 140, test: 60, day: 20, night: 2 } });
  await bindLocation(home, 'pictures', folder);
  return folder;
}

/** The same pictures under another location, to be damaged. */
export async function copyPictures(home: RunningHome, from: string, location: string): Promise<string> {
  const folder = join(home.home, location);
  await rm(folder, { recursive: true, force: true });
  for (const role of ['train', 'test']) await cp(join(from, role), join(folder, role), { recursive: true });
  await bindLocation(home, location, folder);
  return folder;
}

async function bindLocation(home: RunningHome, location: string, folder: string): Promise<void> {
  await contextOf(home).api.put(Anything, `/locations/${location}`, { uri: pathToFileURL(folder).href });
}

export interface TinyModel {
  readonly location?: string;
  readonly learningRate?: string;
  /** More of the definition: policy, for example. */
  readonly rest?: string;
  readonly seed?: number;
  readonly epochs?: number;
}

/** A definition that trains in a moment and whose gates let anything pass. */
export function tinyModel(name: string, { location = 'pictures', learningRate = '1e-3', rest = '', seed = 1, epochs = 1 }: TinyModel = {}): string {
  return `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1, name: '${name}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'Tells cars from trucks, badly but quickly.',
  data: {
    kind: 'images', image: { height: 32, width: 32, channels: 3 }, target: { classes: ['car', 'truck'] },
    sources: [{ kind: 'image-folder', location: '${location}', path: 'train', split: 'train' }, { kind: 'image-folder', location: '${location}', path: 'test', split: 'test' }],
  },
  network: { layers: [layers.flatten(), layers.dense({ units: 8, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },
  training: { optimizer: { kind: 'sgd', learningRate: ${learningRate} }, epochs: ${epochs}, batchSize: 16, seed: ${seed}, threads: 1, quickPass: { rows: 16 } },
  evaluation: { gates: [{ kind: 'at-least', name: 'any', metric: 'accuracy', threshold: 0.05, minimumRows: 10 }] },
  testEnvironment: { rows: 10, p99Ms: 60_000, load: { seconds: 1, connections: 2 } },
  retraining: { cooldown: '1s' },
  ${rest}
});
`;
}

/** A team's repository, registered without the commit hook: the test tells of each commit by itself. */
export interface Team {
  readonly repository: string;
  readonly folder: string;
  /** Replaces all files by these and commits; gives the commit. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  /** Tells Perennial of a commit, as the local hook does. */
  tell(commit: string): Promise<void>;
  /** The intake, when it is over. */
  intake(commit: string): Promise<Intake>;
  /** The run of a commit, as soon as there is one. */
  run(commit: string, model?: string): Promise<string>;
}

export async function createTeam(home: RunningHome, repository: string): Promise<Team> {
  const folder = join(home.home, 'repositories', repository);
  const { api } = contextOf(home);
  const git = async (...args: string[]) => (await run('git', ['-C', folder, ...args])).stdout.trim();
  await mkdir(folder, { recursive: true });
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('config', 'user.name', 'Dana Scientist');
  await git('config', 'user.email', 'dana@example.com');
  await api.post(Anything, '/repositories', { name: repository, url: folder, branches: ['main'], pollSeconds: 0 });
  const look = (commit: string) => api.get(Intake, `/intakes/${repository}/${commit}`);
  return {
    repository, folder,
    async commit(files) {
      await git('rm', '-r', '--quiet', '--ignore-unmatch', '.');
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', `holds ${Object.keys(files).join(', ')}`);
      return git('rev-parse', 'HEAD');
    },
    async tell(commit) {
      await api.post(Anything, '/hooks/local', { repository, commit, branch: 'main' });
    },
    intake: (commit) => home.world.until(`the intake of ${commit} of ${repository}`, async () => { const intake = await look(commit); return ['accepted', 'refused'].includes(intake.status) && intake; }),
    async run(commit, model) {
      return home.world.until(`a run of ${commit} of ${repository}`, async () => (await look(commit)).runs.find((one) => model === undefined || one.model === model)?.run);
    },
  };
}

export const viewOf = (home: RunningHome, run: string) => contextOf(home).api.get(RunView, `/runs/${run}`);

/** A part that was killed is back in a moment. */
function nullWhereAway(error: unknown): null {
  if (error instanceof Error && 'code' in error && String(error.code).endsWith('/unavailable')) return null;
  throw error;
}

/** The run, when it ended or (`waiting`) asks for a decision. */
export async function settled(home: RunningHome, id: string, wanted: (status: Run['status']) => boolean = (status) => !['queued', 'running', 'waiting'].includes(status)): Promise<RunView> {
  return home.world.until(`${id} to come to an end`, async () => {
    const view = await viewOf(home, id).catch(nullWhereAway);
    return view !== null && wanted(view.run.status) && view;
  });
}

export const untilWaiting = async (home: RunningHome, id: string): Promise<RunView> => {
  const view = await settled(home, id, (status) => !['queued', 'running'].includes(status));
  if (view.run.status !== 'waiting') throw new Error(`${id} is ${view.run.status}: ${view.explanation.stands} ${view.explanation.next}`);
  return view;
};
