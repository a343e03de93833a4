/** Every export is a workflow type. */
export { archivePredictions } from './archive-predictions.js';
export { batchScore } from './batch-score.js';
export { environment } from './environment.js';
export { erasure } from './erasure.js';
export { experiment } from './experiment.js';
export { governor } from './governor.js';
export { intake } from './intake.js';
export { lifecycle } from './lifecycle.js';
export { materialise } from './materialise.js';
export { monitorCheck } from './monitor-check.js';
export { reproduction } from './reproduction.js';
