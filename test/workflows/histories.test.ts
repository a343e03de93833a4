import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { quietRuntime } from '../support/temporal-runtime.js';
import { workflowBundle } from './support.js';

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const files = (await readdir(folder)).filter((file) => file.endsWith('.pb')).sort();

quietRuntime();

/**
 * Histories of real runs, kept for ever (`record-histories.mjs` adds more): a workflow that waits for its approver while the code
 * is upgraded must go on as it began. A change that breaks one of these needs `patched`, not a new recording.
 */
describe('histories that were recorded', () => {
  it('cover every workflow of the loop', () => {
    for (const type of ['intake', 'governor', 'lifecycle', 'environment', 'monitorCheck', 'reproduction', 'batchScore', 'erasure', 'experiment']) expect(files.some((file) => file.startsWith(`${type}-`)), type).toBe(true);
  });

  it.each(files)('%s is decided the same by the present code', async (file) => {
    const history = proto.temporal.api.history.v1.History.decode(await readFile(`${folder}/${file}`));
    expect(history.events.length).toBeGreaterThan(5);
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, file);
  });
});
