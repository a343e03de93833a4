import type { ExplainTask } from '../../contract/explanation.js';
import type { TrainingProfile } from '../../contract/profile.js';
import type { Cell } from '../../domain/cells.js';
import { columnsOf, featuresOf } from '../preprocess.js';
import type { TablePreprocessing } from '../preprocess.js';

/**
 * The row that says nothing in particular: each column of numbers at its median in training, everything else missing. Where there is no profile a number is what
 * its scaling makes 0: its mean, median or minimum in training.
 */
export function medianRow(fitted: TablePreprocessing, profile: TrainingProfile | null): Cell[] {
  return columnsOf(fitted).map(({ name, type }) => {
    if (type !== 'number') return null;
    const quantiles = profile?.features.find((feature) => feature.name === name)?.quantiles;
    const median = quantiles?.[quantiles.length >> 1];
    if (median !== undefined && Number.isFinite(median)) return median;
    const scaled = featuresOf(fitted).find((feature) => feature.kind === 'number' && feature.column === name);
    return scaled?.kind === 'number' ? scaled.offset : 0;
  });
}

/** The median row, with the values that the task gives. */
export function baselineRow(fitted: TablePreprocessing, profile: TrainingProfile | null, baseline: ExplainTask['baseline']): Cell[] {
  const row = medianRow(fitted, profile);
  if (Array.isArray(baseline)) for (const [place, cell] of baseline) row[place] = cell;
  return row;
}

/** A picture's tensor in one colour: black, or the mean of its own pixels. */
export function flatPicture(picture: Float32Array, channels: number, { black, baseline }: { readonly black: number; readonly baseline: 'black' | 'mean' }): Float32Array {
  const colour = new Float64Array(channels).fill(black);
  if (baseline === 'mean') {
    colour.fill(0);
    picture.forEach((value, index) => { colour[index % channels] = (colour[index % channels] ?? 0) + value; });
    colour.forEach((sum, channel) => { colour[channel] = (sum * channels) / picture.length; });
  }
  return picture.map((_, index) => colour[index % channels] ?? 0);
}
