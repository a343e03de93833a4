import type { ExplainedHead, ExplainTask } from '../../contract/explanation.js';
import type { TrainingProfile } from '../../contract/profile.js';
import { outputsPerRow } from '../../domain/outputs.js';
import type { LoadedModel } from '../load-model.js';
import { isPixels } from '../preprocess.js';
import type { RawRows } from '../preprocess.js';
import type { TensorFlow } from '../tensorflow.js';
import { createGradients, type Gradients } from './gradient.js';
import { createPictureExplainer } from './picture.js';
import type { Slices } from './slices.js';
import { createTableExplainer } from './table.js';

export type Head = Omit<ExplainedHead, 'evaluations' | 'computeMs'>;
export interface Explained { readonly head: Head; /** `rows × shape`. */ readonly attributions: Float64Array }

/** Explains predictions of a loaded model: by integrated gradients where the network has them, else by trying other inputs. */
export function createExplainer(tf: TensorFlow, model: LoadedModel, profile: TrainingProfile | null): { explain: (raw: RawRows, rows: number, task: ExplainTask) => Slices<Explained> } {
  const { preprocessing, preprocessor, predictTensors, signature } = model;
  const { width } = preprocessor;
  const outputs = outputsPerRow(signature);
  let gradients: Gradients | null | undefined;
  const gradientsOf = () => (gradients === undefined ? (gradients = createGradients(tf, model)) : gradients);
  const parts = { model, outputsFor, gradientsOf };
  const explainer = preprocessing.kind === 'image' ? createPictureExplainer(preprocessing, parts) : createTableExplainer(preprocessing, profile, parts);

  /** An output of tensors of some rows. */
  function outputsFor(target: number, tensors: Float32Array): Float64Array {
    const all = predictTensors(tensors, tensors.length / width);
    return Float64Array.from({ length: all.length / outputs }, (_, row) => all[row * outputs + target] ?? NaN);
  }

  return {
    *explain(raw, rows, task) {
      const settled = explainer.settle(task, gradientsOf() !== null);
      const { method, steps, patch, baseline } = settled;
      const tensors = new Float32Array(rows * width);
      preprocessor.apply(raw, 0, rows, tensors, 0);
      const all = predictTensors(tensors, rows);
      const size = explainer.shape.reduce((product, one) => product * one, 1);
      const attributions = new Float64Array(rows * size);
      const heads: Head['rows'] = [];
      for (let row = 0; row < rows; row += 1) {
        const own = all.subarray(row * outputs, (row + 1) * outputs);
        const target = signature.task === 'regression' ? 0 : task.target ?? own.indexOf(Math.max(...own));
        const output = own[target] ?? NaN;
        const cells = isPixels(raw) ? [] : raw[row] ?? [];
        const found = yield* explainer.explain({ ...settled, tensor: tensors.subarray(row * width, (row + 1) * width), cells, target, output });
        attributions.set(found.attributions, row * size);
        const sum = found.attributions.reduce((total, value) => total + value, 0);
        heads.push({ target: signature.task === 'regression' ? null : target, output, baselineOutput: found.baselineOutput, gap: Math.abs(sum - (output - found.baselineOutput)) });
      }
      return { head: { method, baseline: Array.isArray(baseline) ? 'given' : baseline, steps, patch, shape: [...explainer.shape], rows: heads }, attributions };
    },
  };
}
