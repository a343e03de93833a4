import type { CompressionReport } from '../contract/compression.js';
import type { ComparedSubject, Comparison } from '../contract/comparison.js';
import { parseVersionName, VersionName } from '../contract/ref.js';
import { SnapshotManifest } from '../contract/snapshot.js';
import { flatten, sideBySide, type Facts } from '../domain/facts.js';
import type { Artifacts } from '../stores/artifacts.js';
import type { Stores } from '../stores/index.js';
import { readJson } from '../stores/json-objects.js';
import type { Run } from '../stores/runs.js';
import type { StoredDefinition } from '../stores/models.js';
import type { Version } from '../stores/versions.js';
import { findRun, findVersion } from './find.js';

interface Parts { readonly stores: Stores; readonly artifacts: Artifacts }
interface Side { readonly subject: ComparedSubject; readonly testRows: string | null; readonly metrics: Facts; readonly parameters: Facts; readonly data: Facts; readonly code: Facts }

/** Runs (`car-truck-r2`) and versions (`car-truck@2`), of one model or of several, held side by side: what they reached and what made them. */
export async function compare(parts: Parts, names: readonly string[]): Promise<Comparison> {
  const sides = await Promise.all(names.map((name) => sideOf(parts, name)));
  const of = (facts: 'metrics' | 'parameters' | 'data' | 'code') => sideBySide(sides.map((side) => side[facts]));
  const rows = sides.map(({ testRows }) => testRows);
  return {
    v: 1, subjects: sides.map(({ subject }) => subject), sameTestRows: rows.includes(null) ? null : new Set(rows).size === 1,
    metrics: of('metrics'), parameters: of('parameters'), data: of('data'), code: of('code'),
  };
}

async function sideOf(parts: Parts, name: string): Promise<Side> {
  const { stores } = parts;
  const { run, version } = await subjectOf(stores, name);
  const [definition, evaluation, compression, curve, manifest, model] = await Promise.all([
    stores.models.definition(run.model, run.commit), stores.evaluations.get(run.id, 'offline'), stores.evaluations.get(run.id, 'compression'), stores.learningCurves.get(run.id), manifestOf(parts, run.snapshot), stores.models.get(run.model),
  ]);
  const intake = model ? await stores.models.getIntake(model.repository, run.commit) : null;
  const losses = (curve?.epochs ?? []).map(({ epoch, loss, validationLoss }) => ({ epoch, training: loss, validation: validationLoss }));
  return {
    subject: { name, run: run.id, version: version?.version ?? run.version, status: version?.status ?? run.status, losses },
    testRows: manifest && manifest.content.shards.filter(({ split }) => split === 'test').map(({ digest }) => digest).join(' '),
    metrics: new Map([...metricsOf(evaluation?.report), ...(curve ? [['weights', curve.parameters] as const] : []), ...costsOf(compression?.report)]),
    parameters: new Map(definition ? [...flatten(definition.definition.training, 'training'), ...flatten(definition.definition.compression, 'compression'), ...networkOf(definition), ...(compression ? [['variant', compression.report.chosen] as const] : [])] : []),
    data: new Map<string, string | number | null>([
      ['snapshot', run.snapshot], ...(manifest?.sources ?? []).map(({ description, rows }) => [`rows of ${description}`, rows] as const),
      ...Object.entries(manifest?.counts.bySplit ?? {}).map(([split, count]) => [`rows: ${split}`, count] as const),
      ...Object.entries(manifest?.counts.byClass ?? {}).map(([of, count]) => [`class: ${of}`, count] as const),
      ...(definition ? flatten(definition.definition.data, 'data') : []),
    ]),
    code: new Map<string, string | number | null>([
      ['commit', run.commit], ['by', intake?.committer.name ?? null], ['message', intake?.message.split('\n')[0] ?? null], ['reason', `${run.reason.kind}: ${run.reason.detail.split('\n')[0] ?? ''}`],
      ...(version ? flatten(version.environmentLock, 'environment') : []),
    ]),
  };
}

async function subjectOf(stores: Stores, name: string): Promise<{ run: Run; version: Version | null }> {
  if (!VersionName.safeParse(name).success) {
    const run = await findRun(stores, name);
    return { run, version: run.version === null ? null : await stores.versions.get(run.model, run.version) };
  }
  const { model, version: number } = parseVersionName(name);
  const version = await findVersion(stores, model, number);
  return { run: await findRun(stores, version.run), version };
}

async function manifestOf({ stores, artifacts }: Parts, digest: string | null): Promise<SnapshotManifest | null> {
  const snapshot = digest === null ? null : await stores.snapshots.get(digest);
  return snapshot && SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
}

const networkOf = ({ definition: { network }, networkBundle }: StoredDefinition) => ('module' in network
  ? [['network', network.module] as const, ['network code', networkBundle?.sha256 ?? null] as const]
  : flatten(network, 'network'));

/** What the variant that was taken costs. */
function costsOf(report: CompressionReport | undefined): [string, number | null][] {
  const own = report?.variants.find(({ name }) => name === report.chosen);
  return own ? [['bytes of the network', own.bytes], ['milliseconds of a row', own.latencyMs?.p50 ?? null]] : [];
}

/** Overall figures, then those of each class and each slice; what is no figure (a confusion matrix, the mistakes) is left to `show`. */
function metricsOf(report: { readonly overall: object; readonly slices: readonly { readonly name: string; readonly report: object }[] } | undefined): [string, number | null][] {
  if (!report) return [];
  const figures = (of: object) => Object.entries(of).filter((entry): entry is [string, number | null] => entry[1] === null || typeof entry[1] === 'number');
  const perClass = 'perClass' in report.overall ? report.overall.perClass as readonly (object & { readonly class: string })[] : [];
  return [
    ...figures(report.overall).map(([name, value]) => [name === 'n' ? 'test rows' : name, value] as [string, number | null]),
    ...perClass.flatMap((one) => figures(one).filter(([name]) => name !== 'support').map(([name, value]) => [`${name} of ${one.class}`, value] as [string, number | null])),
    ...report.slices.flatMap((slice) => figures(slice.report).map(([name, value]) => [`${slice.name}: ${name === 'n' ? 'rows' : name}`, value] as [string, number | null])),
  ];
}
