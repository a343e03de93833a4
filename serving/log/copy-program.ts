import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createDatabase } from '../../stores/database.js';
import { createStores } from '../../stores/index.js';
import { tellError } from '../told-error.js';
import { createCopier, createSink } from './copier.js';
import type { CopyReport, CopyRequest, CopyThreadData } from './copy-messages.js';

/** The thread that copies the prediction log: one round for each message. */
const { databaseUrl, applicationName, niceness, events } = workerData as CopyThreadData;
const LOWEST = 19;
// Linux keeps priorities of threads: 0 is this one, not the process.
if (process.platform === 'linux') setPriority(0, Math.min(LOWEST, getPriority(0) + niceness));

const copier = createCopier(createSink(createStores(createDatabase(databaseUrl, { max: 1, applicationName, statementTimeoutMs: 20_000 })), { events }));
const say = (report: CopyReport): void => { parentPort?.postMessage(report); };

parentPort?.on('message', (request: CopyRequest) => {
  copier.copy({
    ...request,
    onShipped: (bytes, rows, orphan) => { say({ kind: 'shipped', bytes, rows, orphan }); },
    onProblem: (message, error) => { say({ kind: 'problem', message, error: error === undefined ? null : tellError(error) }); },
  }).then(() => { say({ kind: 'done', error: null }); }, (error: unknown) => { say({ kind: 'done', error: tellError(error) }); });
});
