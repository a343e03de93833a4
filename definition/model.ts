import { z } from 'zod';
import { typedColumns } from './columns.js';
import { columnsOfFeature, FEATURE_TYPES } from './features.js';
import { Email, ModelName } from './common.js';
import { Compression, FULL, nameOfVariant } from './compression.js';
import { Data } from './data.js';
import { misfits } from './expectations.js';
import { Evaluation, TestEnvironment } from './evaluation.js';
import { guardrailContradictions } from './guardrail-contradictions.js';
import { SOURCE_GIVES } from './sources.js';
import { columnOfSplit } from './splits.js';
import { Alerts, Approval, Monitoring, Release, Retraining, Serving } from './operation.js';
import { loggedOutputContradictions, logContradictions, PredictionLog } from './prediction-log.js';
import { personalContradictions, withoutDropped } from './personal.js';
import { classesOf } from './target.js';
import { taskContradictions } from './task-contradictions.js';
import type { Contradiction } from './task-contradictions.js';
import { Network, Training } from './training.js';
import { viewContradictions } from './view-use.js';

/** Everything a team says about a model; columns that are dropped are none from here on. The fields of {@link TRAINING_FIELDS} change the weights; the rest is policy. */
export const ModelDefinition = z.strictObject({
  schema: z.literal(1),
  name: ModelName,
  owner: z.strictObject({ name: z.string().min(1), email: Email }),
  purpose: z.string().min(1),
  data: Data,
  network: Network,
  training: Training,
  compression: Compression.optional(),
  evaluation: Evaluation,
  testEnvironment: TestEnvironment.prefault({}),
  approval: Approval.prefault({}),
  release: Release.prefault({}),
  serving: Serving.optional(),
  monitoring: Monitoring.prefault({}),
  retraining: Retraining.prefault({}),
  alerts: Alerts.prefault({}),
  predictionLog: PredictionLog.optional(),
}).superRefine((definition, context) => {
  const { data } = definition;
  const found = data.kind === 'table' ? [...personalContradictions(data), ...contradictions({ ...definition, data: withoutDropped(data) })] : contradictions(definition);
  for (const { path, expected } of found) context.addIssue({ code: 'custom', path: [...path], message: expected });
}).transform((definition) => (definition.data.kind === 'table' ? { ...definition, data: withoutDropped(definition.data) } : definition));
export type ModelDefinition = z.infer<typeof ModelDefinition>;
/** What a team writes: defaults may be left out. */
export type ModelDefinitionInput = z.input<typeof ModelDefinition>;

type Parts = Readonly<Pick<z.output<typeof ModelDefinition>, 'data' | 'network' | 'training' | 'compression' | 'evaluation' | 'serving' | 'monitoring' | 'predictionLog'>>;

/** What one part of a definition says of another that is not so; unnoticed, a gate on a misspelt slice would never judge. */
function contradictions({ data, network, training, compression, evaluation, serving, monitoring, predictionLog }: Parts): Contradiction[] {
  const slices = evaluation.slices.map(({ name }) => name);
  const oneOf = (names: readonly string[], what: string) => `${what} of this definition (${names.join(', ') || 'none is declared'})`;
  const found: Contradiction[] = taskContradictions({ target: data.target, training, compression, evaluation, monitoring });
  compression?.variants.forEach((variant, index) => {
    if (nameOfVariant(variant) === FULL) found.push({ path: ['compression', 'variants', index, 'name'], expected: `another name than ${FULL}, which is the network as it was trained` });
    if (typeof variant !== 'string' && variant.kind === 'distil' && 'hyperparameters' in variant.network && 'layers' in network) found.push({ path: ['compression', 'variants', index, 'network'], expected: '`layers`: this network is no module that hyperparameters could be handed to' });
  });
  data.sources.forEach(({ kind }, index) => { if (SOURCE_GIVES[kind] !== data.kind && SOURCE_GIVES[kind] !== 'either') found.push({ path: ['data', 'sources', index, 'kind'], expected: `a source of ${data.kind === 'images' ? 'pictures' : 'rows'}` }); });
  found.push(...splitContradictions(data));
  if (predictionLog) found.push(...logContradictions(data, predictionLog), ...loggedOutputContradictions(data.target, monitoring, predictionLog));
  found.push(...guardrailContradictions(data, serving?.guardrails ?? [], predictionLog?.inputs.redact ?? []));
  const frozen = evaluation.frozen ?? [];
  evaluation.gates.forEach((gate, index) => {
    if (gate.frozen !== undefined && !frozen.includes(gate.frozen)) found.push({ path: ['evaluation', 'gates', index, 'frozen'], expected: oneOf(frozen, 'one of the `evaluation.frozen`') });
    if (gate.kind === 'not-worse-than-live') return;
    if (gate.slice !== undefined && !slices.includes(gate.slice)) found.push({ path: ['evaluation', 'gates', index, 'slice'], expected: oneOf(slices, 'a slice') });
  });
  if (data.kind === 'table') found.push(...featureContradictions(data), ...viewContradictions(data));
  const columns = data.kind === 'table' ? typedColumns(data.columns).map(({ name }) => name) : [];
  columns.forEach((name, index) => { if (name === data.target.name) found.push({ path: ['data', 'columns', index], expected: 'a column other than the target, which is not known when a prediction is asked' }); });
  if (data.kind === 'table') {
    const types = new Map([['key', 'text'], [data.target.name, data.target.task === 'regression' ? 'number' : 'text'], ...typedColumns(data.columns).map(({ name, type }) => [name, type] as const)] as const);
    data.personalData?.allow.forEach((name, index) => { if (!types.has(name)) found.push({ path: ['data', 'personalData', 'allow', index], expected: oneOf([...types.keys()], 'a column') }); });
    data.expectations?.forEach((expectation, index) => {
      for (const problem of misfits(expectation, types)) found.push({ path: ['data', 'expectations', index], expected: problem });
    });
  }
  const lists = [
    { path: ['data', 'columns'], names: columns },
    { path: ['data', 'target', 'classes'], names: classesOf(data.target) }, { path: ['evaluation', 'slices'], names: slices }, { path: ['evaluation', 'frozen'], names: frozen },
    { path: ['compression', 'variants'], names: (compression?.variants ?? []).map(nameOfVariant) },
    { path: ['evaluation', 'metrics'], names: evaluation.metrics ?? [] }, { path: ['evaluation', 'gates'], names: evaluation.gates.map(({ name }) => name) }, { path: ['monitoring', 'thresholds'], names: monitoring.thresholds.map(({ name }) => name) },
    { path: ['serving', 'guardrails'], names: serving?.guardrails?.map(({ name }) => name) ?? [] },
  ];
  for (const { path, names } of lists) names.forEach((name, index) => { if (names.indexOf(name) < index) found.push({ path: [...path, index], expected: `another name than ${name}, which is taken` }); });
  return found;
}

/** Rows that are divided by a column which they have not, or which is no time. */
function splitContradictions(data: Parts['data']): Contradiction[] {
  const types = new Map(data.kind === 'table' ? typedColumns(data.columns).map(({ name, type }) => [name, type] as const) : []);
  return data.sources.flatMap(({ kind, split }, index) => {
    const column = columnOfSplit(split);
    if (column === null || typeof split === 'string') return [];
    const path = ['data', 'sources', index, 'split'];
    if (data.kind === 'images') return [{ path, expected: 'a split by name or `byKey`: pictures have no columns' }];
    const type = types.get(column);
    if (kind === 'labelled-predictions' && type === undefined) return [{ path, expected: `one of the columns of this definition (${[...types.keys()].slice(0, 20).join(', ')}), since a prediction holds no other` }];
    return 'byTime' in split && type !== undefined && type !== 'time' ? [{ path, expected: `a column of type time; ${column} is of type ${type}` }] : [];
  });
}

/** A feature of a column that is not there, or whose type it cannot be made of. */
function featureContradictions({ columns, features = [] }: Pick<Extract<Parts['data'], { kind: 'table' }>, 'columns' | 'features'>): Contradiction[] {
  const typed = typedColumns(columns);
  const types = new Map(typed.map(({ name, type }) => [name, type]));
  return features.flatMap((feature, index) => {
    const path = ['data', 'features', index] as const;
    const usable: readonly string[] = FEATURE_TYPES[feature.kind];
    const found: Contradiction[] = columnsOfFeature(feature).flatMap((column) => {
      const type = types.get(column);
      if (type !== undefined && usable.includes(type)) return [];
      return [{ path, expected: type === undefined ? `columns of this definition (${[...types.keys()].slice(0, 20).join(', ')}), of which ${column} is none` : `a column of type ${usable.join(', ')}; ${column} is of type ${type}` }];
    });
    if (feature.kind === 'category' && feature.unknown === 'refuse' && feature.minimumFrequency > 1) found.push({ path: [...path, 'minimumFrequency'], expected: '1: what is rare in training would be refused there too' });
    if ((feature.kind === 'number' || feature.kind === 'category') && feature.impute && typed.some(({ name, nullable }) => name === feature.column && !nullable)) found.push({ path: [...path, 'impute'], expected: 'nothing: the column is not nullable' });
    if (feature.kind === 'cross') feature.of.forEach(({ column, edges }, place) => { if (edges && types.get(column) !== 'number') found.push({ path: [...path, 'of', place, 'edges'], expected: 'edges of a column of numbers' }); });
    return found;
  });
}

/** The fields (with the bundle of `network.module`, if there is one) that the training digest covers. */
export const TRAINING_FIELDS = ['schema', 'name', 'data', 'network', 'training', 'compression'] as const satisfies readonly (keyof ModelDefinition)[];
