/** Every export is a workflow type. */
export { environment } from './environment.js';
export { governor } from './governor.js';
export { intake } from './intake.js';
export { lifecycle } from './lifecycle.js';
export { monitorCheck } from './monitor-check.js';
