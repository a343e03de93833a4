import type { Preprocessing } from '../../contract/package.js';
import { flatPicture } from './baseline.js';
import { integratedGradients } from './integrated-gradients.js';
import { occlusion, patchesOf } from './occlusion.js';
import { DEFAULT_STEPS, MOST_NUMBERS, Unfit, type Explainable, type RowExplainer } from './row-explainer.js';
import { atMost } from './slices.js';

/** Patches on the longer side of a picture, unless the caller says how large one is. */
const PATCHES = 8;
/** Most patches of a picture. */
const MOST_PATCHES = 1_024;
/** A map of a picture: what each pixel adds, its channels summed. Of patches, each pixel has its share of the patch. */
export function createPictureExplainer({ height, width, channels, offset, scale }: Extract<Preprocessing, { kind: 'image' }>, { outputsFor, gradientsOf }: Explainable): RowExplainer {
  const numbers = height * width * channels;
  const most = Math.max(1, Math.floor(MOST_NUMBERS / numbers));
  return {
    shape: [height, width],
    settle({ method, steps, patch, baseline }, hasGradients) {
      const settled = method ?? (hasGradients ? 'integrated-gradients' : 'occlusion');
      if (settled === 'integrated-gradients') {
        if (!hasGradients) throw new Unfit('TensorFlow.js has no gradients of this network: explain by occlusion.');
        return { method: settled, steps: steps ?? DEFAULT_STEPS, patch: null, baseline: baseline ?? 'black' };
      }
      if (settled === 'shapley') throw new Unfit('Shapley values are of columns; a picture is explained by integrated-gradients or occlusion.');
      const side = patch ?? Math.ceil(Math.max(height, width) / PATCHES);
      const { count } = patchesOf(height, width, side);
      if (count > MOST_PATCHES) throw new Unfit(`Patches of ${side} pixels are ${count} of the picture; ${MOST_PATCHES} is the limit.`);
      return { method: settled, steps: null, patch: side, baseline: baseline ?? 'mean' };
    },
    *explain({ tensor, target, output, method, steps, patch, baseline }) {
      const flat = flatPicture(tensor, channels, { black: -offset * scale, baseline: baseline === 'mean' ? 'mean' : 'black' });
      const baselineOutput = outputsFor(target, flat)[0] ?? NaN;
      const gradients = gradientsOf();
      const pixels = new Float64Array(height * width);
      if (method === 'integrated-gradients' && gradients) {
        const found = yield* atMost(most, integratedGradients(gradients(target), tensor, flat, steps ?? 1));
        found.forEach((value, index) => { pixels[Math.floor(index / channels)] = (pixels[Math.floor(index / channels)] ?? 0) + value; });
        return { attributions: pixels, baselineOutput };
      }
      const patches = patchesOf(height, width, patch ?? 1);
      const falls = yield* atMost(most, occlusion(patches.count, output, (from, count) => {
        const batch = new Float32Array(count * numbers);
        for (let at = 0; at < count; at += 1) {
          batch.set(tensor, at * numbers);
          for (const pixel of patches.pixelsOf(from + at)) for (let channel = 0; channel < channels; channel += 1) batch[at * numbers + pixel * channels + channel] = flat[channel] ?? 0;
        }
        return outputsFor(target, batch);
      }));
      falls.forEach((fall, at) => {
        const covered = patches.pixelsOf(at);
        for (const pixel of covered) pixels[pixel] = fall / covered.length;
      });
      return { attributions: pixels, baselineOutput };
    },
  };
}
