import type { LocalSnapshot } from '../../contract/frames.js';
import { columnNames } from '../../definition/columns.js';
import { PerennialError } from '../../contract/errors.js';
import type { Preprocessing } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import { PICTURE_FEATURES, packSplit, shapeOf } from '../data/pack.js';
import type { PackedSplit } from '../data/pack.js';
import type { RowStore } from '../data/row-store.js';

export interface TrainingData {
  readonly train: RowStore;
  /** Null where the snapshot has no validation rows. */
  readonly validation: RowStore | null;
  readonly preprocessing: Preprocessing;
  readonly profile: TrainingProfile;
  readonly pictures: boolean;
  readonly inputName: string;
}

/** Reads what a training needs. Preprocessing is fitted on the training split alone. */
export async function loadTrainingData(snapshot: LocalSnapshot, directory: string, budgetBytes: number, limit: number | undefined): Promise<TrainingData> {
  const { content } = snapshot.manifest;
  const train = await packSplit({ snapshot, split: 'train', limit, directory, budgetBytes });
  if (train.store.rows === 0) throw new PerennialError('data/missing', `the snapshot of '${content.model}' has no training rows`);
  const validation = await packSplit({ snapshot, split: 'validation', limit, directory, budgetBytes });
  const pictures = content.kind === 'images';
  const names = pictures ? PICTURE_FEATURES : columnNames(content.columns ?? []);
  return {
    train: train.store, validation: validation.store.rows > 0 ? validation.store : null, pictures,
    preprocessing: pictures ? { kind: 'image', height: shapeOf(content).height, width: shapeOf(content).width, channels: shapeOf(content).channels, offset: 0, scale: 1 / 255 } : fitTable(names, train),
    profile: {
      v: 1, kind: content.kind, rows: train.store.rows,
      byClass: Object.fromEntries(content.target.classes.map((name, index) => [name, train.byClass[index] ?? 0])),
      features: train.moments.profile(names),
    },
    inputName: content.image?.name ?? 'columns',
  };
}

/** Standardises each column; one that is constant in training is only shifted. */
function fitTable(names: readonly string[], { moments }: PackedSplit): Preprocessing {
  return {
    kind: 'table',
    columns: names.map((name, index) => {
      const { mean, standardDeviation } = moments.of(index);
      return { name, offset: mean, scale: standardDeviation > 0 ? 1 / standardDeviation : 1 };
    }),
  };
}
