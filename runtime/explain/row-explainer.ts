import type { ExplainMethod, ExplainTask } from '../../contract/explanation.js';
import type { CellRow } from '../../domain/cells.js';
import type { LoadedModel } from '../load-model.js';
import type { Gradients } from './gradient.js';
import type { Slices } from './slices.js';

/** The model cannot be explained in the way that is asked; the message is for the caller. */
export class Unfit extends Error { override readonly name = 'Unfit' }

/** What of a task was not said, settled as it suits the model. */
export interface Settled { readonly method: ExplainMethod; readonly steps: number | null; readonly patch: number | null; readonly baseline: NonNullable<ExplainTask['baseline']> }

/** One row: as it came and as the network gets it, with the place of the output that is explained, and that output. */
export interface Asked extends Settled { readonly tensor: Float32Array; readonly cells: CellRow; readonly target: number; readonly output: number }
export interface RowExplained { readonly attributions: Float64Array; readonly baselineOutput: number }

/** How rows of one kind of input are explained. */
export interface RowExplainer {
  /** Of a row's attributions. */
  readonly shape: readonly number[];
  /** Throws {@link Unfit}. */
  readonly settle: (task: ExplainTask, hasGradients: boolean) => Settled;
  readonly explain: (asked: Asked) => Slices<RowExplained>;
}

/** What explaining needs of a model. */
export interface Explainable {
  readonly model: LoadedModel;
  /** One output of each of some tensors. */
  readonly outputsFor: (target: number, tensors: Float32Array) => Float64Array;
  readonly gradientsOf: () => Gradients | null;
}

/** Numbers of tensors that are computed at once: a large picture is computed alone. */
export const MOST_NUMBERS = 1_048_576;
export const DEFAULT_STEPS = 64;
