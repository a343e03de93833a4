/**
 * Keeps the histories of a running stack's workflows as files (protobuf) that `histories.test.ts` replays for ever:
 *   node test/workflows/record-histories.mjs RELEASE WORKFLOW_ID…      (from a folder whose stack is up)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { loadConfig } from '../../dist/infra/config.js';

const [release, ...ids] = process.argv.slice(2);
if (!release || ids.length === 0) {
  process.stderr.write('usage: node test/workflows/record-histories.mjs RELEASE WORKFLOW_ID…\n');
  process.exit(2);
}

/** Who worked on it, and in which lines a failure was, is of no matter to a replay, and names a machine. */
function anonymise(value) {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (typeof value.identity === 'string') value.identity = 'worker';
  if (typeof value.stackTrace === 'string') value.stackTrace = '';
  if (typeof value.name === 'string' && value.name.includes('@')) value.name = 'sticky';
  for (const member of Object.values(value)) anonymise(member);
}

const { address, namespace } = loadConfig({ need: ['temporal'] }).temporal;
const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace });
const folder = fileURLToPath(new URL('histories/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const workflowId of ids) {
  const handle = client.workflow.getHandle(workflowId);
  const { type } = await handle.describe();
  const history = await handle.fetchHistory();
  anonymise(history);
  const name = `${type}-${release}-${workflowId.split('/').slice(1).join('-').replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 60)}.pb`;
  writeFileSync(`${folder}/${name}`, proto.temporal.api.history.v1.History.encode(history).finish());
  process.stdout.write(`${name}: ${history.events.length} events\n`);
}
await connection.close();
