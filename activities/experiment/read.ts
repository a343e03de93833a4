import { rm } from 'node:fs/promises';
import { PerennialError } from '../../contract/errors.js';
import type { ExperimentPlan } from '../../contract/experiment.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { typedColumns } from '../../definition/columns.js';
import type { ModelDefinition } from '../../definition/model.js';
import { replacingActions, withoutDropped } from '../../definition/personal.js';
import { classesOf } from '../../definition/target.js';
import { metricsOf, trialsOf } from '../../domain/experiment.js';
import { findDefinitions } from '../../runtime/definition/find.js';
import { readDefinitions } from '../../runtime/definition/read.js';
import type { ReadDefinition } from '../../runtime/definition/read.js';
import { readJson } from '../../stores/json-objects.js';
import type { ActivityDeps } from '../deps.js';
import { checkOut } from '../source/git.js';
import { heldOutOf } from './division.js';
import { withParameters } from './parameters.js';

/** What a commit says of a model. Nothing of it is taken in: no run follows, and it does not become the model's current definition. */
export async function readCommitOf({ stores, scratch }: ActivityDeps, { id, model, commit, branch }: { id: string; model: string; commit: string; branch: string }, signal: AbortSignal): Promise<ReadDefinition> {
  const registered = await stores.models.get(model);
  const repository = registered && await stores.repositories.get(registered.repository);
  if (!repository) throw new PerennialError('model/unknown', `there is no model ${model}`);
  const { directory } = await checkOut({ scratch, repository: repository.name, url: repository.url, commit, branch, purpose: `experiment-${id}`, signal });
  try {
    // Where it was before first: what else the repository holds may be broken.
    const files = (await findDefinitions(directory)).sort((a, b) => Number(b === registered.path) - Number(a === registered.path));
    for (const file of files) {
      const found = (await readDefinitions({ checkout: directory, file, signal })).find(({ definition }) => definition.name === model);
      if (found) return found;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  throw new PerennialError('definition/missing', `commit ${commit.slice(0, 12)} of ${repository.name} holds no definition of ${model}`);
}

/** The newest snapshot of the model that may be trained on: experiments on the same rows can be held against each other, and against runs. */
export async function snapshotFor({ stores, artifacts }: Pick<ActivityDeps, 'stores' | 'artifacts'>, definition: ModelDefinition): Promise<SnapshotManifest> {
  const [snapshot] = (await stores.snapshots.listFor(definition.name)).filter(({ blocked }) => !blocked);
  if (!snapshot) throw new PerennialError('experiment/impossible', `${definition.name} has no snapshot yet, and an experiment trains on the rows of a run: let the first run come as far as its data`, { model: definition.name });
  const manifest = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
  const problems = misfitsOf(definition, manifest);
  if (problems.length > 0) throw new PerennialError('experiment/impossible', `the newest snapshot ${manifest.digest.slice(0, 12)} has other rows than this commit asks for: ${problems.join('; ')}`, { snapshot: manifest.digest });
  return manifest;
}

/** The figure that decides, or everything that is wrong with a plan for a definition and rows, each with the place that it is about. */
export function checkPlan(plan: ExperimentPlan, definition: ModelDefinition, manifest: SnapshotManifest): { readonly metric: string; readonly problems: readonly string[] } {
  const figures = metricsOf(definition);
  const metric = plan.metric ?? figures[0] ?? '';
  const divided = heldOutOf(plan, 0, definition.data, manifest);
  const combinations = new Map(trialsOf(plan).map(({ combination, parameters }) => [combination, parameters]));
  const wrong = new Set([...combinations.values()].flatMap((parameters) => {
    const changed = withParameters(definition, parameters);
    return changed.ok ? [] : changed.problems.map((problem) => (problem.endsWith('no such field') ? problem : `with ${textOf(parameters)}: ${problem}`));
  }));
  return {
    metric,
    problems: [...('problem' in divided ? [divided.problem] : []), ...(figures.includes(metric) ? [] : [`metric: ${metric} is none of this definition's figures: ${figures.join(', ')}`]), ...[...wrong].slice(0, 20)],
  };
}

const textOf = (parameters: Readonly<Record<string, unknown>>) => Object.entries(parameters).map(([path, value]) => `${path}=${String(value)}`).join(' ');

/** How rows of a snapshot differ from what a definition says that they are. */
function misfitsOf({ data: described }: ModelDefinition, { content }: SnapshotManifest): string[] {
  const data = described.kind === 'table' ? withoutDropped(described) : described;
  if (data.kind !== content.kind) return [`data.kind: ${data.kind} here, ${content.kind} there`];
  const problems: string[] = [];
  const differ = (place: string, here: string, there: string) => { if (here !== there) problems.push(`${place}: ${here} here, ${there} there`); };
  if (data.kind === 'table') {
    const [here, there] = [data.columns, content.columns ?? []].map((columns) => new Map(typedColumns(columns).map(({ name, type }) => [name, type])));
    for (const name of new Set([...here?.keys() ?? [], ...there?.keys() ?? []])) differ(`data.columns: ${name}`, here?.get(name) ?? 'none', there?.get(name) ?? 'none');
    const [asked, made] = [replacingActions(data), content.personal?.columns ?? {}];
    for (const name of Object.keys({ ...asked, ...made })) differ(`data.personalData.columns.${name}`, asked[name] ?? 'as it is', made[name] ?? 'as it is');
  } else {
    const { height, width, channels } = data.image;
    differ('data.image', [height, width, channels].join(' × '), content.image ? [content.image.height, content.image.width, content.image.channels].join(' × ') : 'none');
  }
  differ('data.target.name', data.target.name, content.target.name);
  differ('data.target', `a ${data.target.task ?? 'classification'}`, `a ${content.target.task ?? 'classification'}`);
  differ('data.target.classes', classesOf(data.target).join(', '), classesOf(content.target).join(', '));
  return problems;
}
