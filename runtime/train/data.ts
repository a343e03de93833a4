import type { LocalSnapshot } from '../../contract/frames.js';
import { typedColumns } from '../../definition/columns.js';
import type { Data } from '../../definition/data.js';
import type { Feature } from '../../definition/features.js';
import { PerennialError } from '../../contract/errors.js';
import type { Preprocessing } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import { fitOutliers } from '../../domain/outliers.js';
import { PICTURE_FIGURES } from '../../domain/picture-figures.js';
import { describeColumns } from '../data/describe-columns.js';
import { fitFeatures } from '../data/fit-features.js';
import { packSplit, profiledColumns, shapeOf, shareOf } from '../data/pack.js';
import type { PictureShape } from '../data/picture.js';
import { shardsOf } from '../data/read-shard.js';
import type { RowStore } from '../data/row-store.js';
import { createPreprocessor, targetScaling } from '../preprocess.js';
import type { Moments } from '../data/moments.js';
import type { NumberTarget } from '../../definition/target.js';

export interface TrainingData {
  readonly train: RowStore;
  /** Null where the snapshot has no validation rows. */
  readonly validation: RowStore | null;
  readonly preprocessing: Preprocessing;
  readonly profile: TrainingProfile;
  readonly pictures: boolean;
  readonly inputName: string;
}

/** Of pictures: how those of another size are resized, and what the network sees. */
export type PictureOptions = Pick<Extract<Data, { kind: 'images' }>['image'], 'resize' | 'normalise'>;

/** Reads what a training needs. Preprocessing is fitted on the training split alone. */
export async function loadTrainingData({ snapshot, features, picture, scale, directory, budgetBytes, limit }: { snapshot: LocalSnapshot; features: readonly Feature[] | undefined; picture?: PictureOptions | undefined; scale?: NumberTarget['scale'] | undefined; directory: string; budgetBytes: number; limit: number | undefined }): Promise<TrainingData> {
  const { content } = snapshot.manifest;
  if (shardsOf(snapshot, 'train').length === 0) throw new PerennialError('data/missing', `the snapshot of '${content.model}' has no training rows`);
  const pictures = content.kind === 'images';
  const unfitted = pictures ? pixels(shapeOf(content), picture) : await fitFeatures(snapshot, features, shareOf(snapshot, 'train', limit), scale);
  const common = { snapshot, limit, directory, budgetBytes, preprocessor: pictures ? null : createPreprocessor(unfitted), scaling: targetScaling(unfitted) };
  const train = await packSplit({ ...common, split: 'train' });
  const validation = await packSplit({ ...common, split: 'validation' });
  const profiled = pictures ? PICTURE_FIGURES : profiledColumns(typedColumns(content.columns ?? []));
  const outliers = fitOutliers(profiled, train.moments.sample());
  const columns = pictures ? null : await describeColumns(snapshot, features, shareOf(snapshot, 'train', limit));
  const preprocessing = unfitted.kind === 'image' && picture?.normalise === 'standard' ? standardised(unfitted, train.moments) : unfitted;
  return {
    train: train.store, validation: validation.store.rows > 0 ? validation.store : null, pictures, preprocessing,
    profile: {
      v: 1, kind: content.kind, rows: train.store.rows,
      byClass: content.target.task === 'regression' ? {} : Object.fromEntries(content.target.classes.map((name, index) => [name, train.byClass[index] ?? 0])),
      ...describedTarget(train.target, content.target.name),
      features: train.moments.profile(profiled),
      ...(outliers ? { outliers } : {}),
      ...(columns ? { columns } : {}),
    },
    inputName: content.image?.name ?? 'columns',
  };
}

function describedTarget(moments: Moments | null, name: string): Pick<TrainingProfile, 'target'> {
  const [target] = moments?.profile([name]) ?? [];
  return target ? { target } : {};
}

/** Bytes to 0..1. */
function pixels({ height, width, channels }: PictureShape, picture: PictureOptions | undefined): Preprocessing {
  return { kind: 'image', height, width, channels, offset: 0, scale: 1 / 255, ...(picture?.resize === undefined ? {} : { resize: picture.resize }) };
}

/**
 * Less the mean of all values of the training pictures, over their standard deviation. Pictures have one size, so the mean is that of their
 * brightness, and the variance the mean of that within pictures (contrast squared) plus that between them.
 */
function standardised(fitted: Extract<Preprocessing, { kind: 'image' }>, moments: Moments): Preprocessing {
  const [brightness, contrast] = [moments.of(0), moments.of(1)];
  const deviation = Math.sqrt(contrast.standardDeviation ** 2 + contrast.mean ** 2 + brightness.standardDeviation ** 2);
  return { ...fitted, offset: brightness.mean, scale: deviation > 0 ? 1 / deviation : 1 / 255 };
}
