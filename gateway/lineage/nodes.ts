import type { LineageNode } from '../../contract/lineage.js';
import type { StoredView } from '../../stores/feature-views.js';
import type { Finding } from '../../stores/alerts.js';
import type { StoredReproduction } from '../../stores/reproductions.js';
import type { Run } from '../../stores/runs.js';
import type { ScoreSummary } from '../../stores/scores.js';
import type { ServedInterval } from '../../stores/served.js';
import type { Snapshot } from '../../stores/snapshots.js';
import type { Version } from '../../stores/versions.js';

const short = (digest: string) => digest.slice(0, 12);
const first = (text: string) => text.split('\n')[0] ?? '';

export const versionNode = ({ model, version, status, packageDigest, registeredAt }: Version): LineageNode => ({
  id: `version/${model}@${version}`, kind: 'version', name: `${model}@${version}`, at: registeredAt, lines: [status, `package ${short(packageDigest)}`],
});

export const runNode = ({ id, reason, status, error, createdAt }: Run): LineageNode => ({
  id: `run/${id}`, kind: 'run', name: id, at: createdAt, lines: [`${reason.imported ? `imported (${reason.imported.format})` : reason.kind} by ${reason.by}`, error ? `${status}: ${error.code}` : status],
});

export const snapshotNode = ({ digest, rows, counts, blocked, createdAt }: Snapshot): LineageNode => ({
  id: `snapshot/${digest}`, kind: 'snapshot', name: `snapshot ${short(digest)}`, at: createdAt,
  lines: [`${rows} rows`, Object.entries(counts.bySplit).map(([split, count]) => `${split} ${count}`).join(', '), ...(blocked ? ['blocked'] : [])].filter((line) => line !== ''),
});

export const commitNode = (commit: string, repository: string | null, intake: { committer: { name: string }; message: string } | null): LineageNode => ({
  id: `commit/${commit}`, kind: 'commit', name: `commit ${short(commit)}`, at: null,
  lines: [...(repository ? [`of ${repository}`] : []), ...(intake ? [`by ${intake.committer.name}: ${first(intake.message)}`] : [])],
});

export const findingNode = ({ id, environment, message, openedAt }: Finding): LineageNode => ({
  id: `finding/${id}`, kind: 'finding', name: `finding ${id} in ${environment}`, at: openedAt, lines: [message],
});

/** A feature view, whatever it consisted of. */
export const viewNode = ({ view, repository, path, definition }: StoredView): LineageNode => ({ id: `view/${view}`, kind: 'view', name: view, at: null, lines: [definition.purpose, `${path} of ${repository}`] });

/** Content of a feature view: what its entity, columns and source decide. */
export const contentNode = ({ view, digest, definition: { entity, columns } }: StoredView): LineageNode => ({
  id: `view/${view}/${digest}`, kind: 'view', name: `${view} ${short(digest)}`, at: null,
  lines: [`by ${entity.map(({ name }) => name).join(', ')}: ${columns.map((column) => (typeof column === 'string' ? column : column.name)).join(', ')}`],
});

/** What a view reads its rows from. */
export const viewSourceNode = ({ definition: { source } }: StoredView): LineageNode => {
  const description = source.kind === 'sql' ? `sql ${source.connection}` : `parquet ${source.location}/${source.path}`;
  return { id: `source/${description}`, kind: 'source', name: description, at: null, lines: [] };
};

/** Where rows were read from; of labelled predictions each snapshot has its own, because they grow. */
export const sourceNode = (snapshot: string, { description, rows, labelled }: { description: string; rows: number; labelled: boolean }): LineageNode => (labelled
  ? { id: `predictions/${snapshot}/${description}`, kind: 'predictions', name: description, at: null, lines: [`${rows} rows in ${short(snapshot)}`] }
  : { id: `source/${description}`, kind: 'source', name: description, at: null, lines: [] });

/** All stretches in which a version served in one environment. */
export function environmentNode(name: string, environment: string, intervals: readonly ServedInterval[]): LineageNode {
  const from = intervals.map((one) => one.from).sort()[0] ?? null;
  const now = intervals.some((one) => one.until === null);
  const until = intervals.flatMap((one) => one.until ?? []).sort().at(-1);
  const replicas = new Set(intervals.map((one) => one.replica)).size;
  return {
    id: `environment/${environment}/${name}`, kind: 'environment', name: environment, at: from,
    lines: [now ? 'serves it now' : `served it until ${until?.slice(0, 19) ?? '?'}Z`, `${replicas} replica${replicas === 1 ? '' : 's'}, generation ${[...new Set(intervals.map((one) => one.generation))].join(', ')}`],
  };
}

export const scoresNode = ({ job, rows, outputPrefix, createdAt, finishedAt }: ScoreSummary): LineageNode => ({
  id: `scores/${job}`, kind: 'scores', name: `scores ${short(job)}`, at: createdAt, lines: [`${rows} rows to ${outputPrefix}`, ...(finishedAt === null ? ['not finished'] : [])],
});

export const reproductionNode = ({ id, by, status, startedAt }: StoredReproduction): LineageNode => ({
  id: `reproduction/${id}`, kind: 'reproduction', name: `reproduction ${short(id)}`, at: startedAt, lines: [`${status}, asked by ${by}`],
});
