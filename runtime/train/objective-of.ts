import type { Preprocessing } from '../../contract/package.js';
import type { ModelDefinition } from '../../definition/model.js';
import { targetScaling } from '../preprocess.js';
import type { TensorFlow } from '../tensorflow.js';
import { classObjective } from './objective-classes.js';
import { valueObjective } from './objective-values.js';
import type { Objective } from './objective.js';

/** The objective of a definition's task. `preprocessing`: fitted, with the scale of the target. */
export function objectiveOf(tf: TensorFlow, { data: { target }, training }: Pick<ModelDefinition, 'data' | 'training'>, preprocessing: Preprocessing): Objective {
  if (target.task !== 'regression') return classObjective(target.classes.length);
  return valueObjective(tf, training.loss ?? { kind: 'meanSquaredError' }, targetScaling(preprocessing)?.scale ?? 1);
}
