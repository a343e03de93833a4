import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { literal, openDuck } from '../../activities/data/duckdb.js';
import { evaluateExpectations } from '../../activities/data/expectations/evaluate.js';
import { profileShard } from '../../activities/data/profile/table-profile.js';
import { typedColumns } from '../../definition/columns.js';
import type { Expectation } from '../../definition/expectations.js';
import { summarize } from '../../domain/profile/summary.js';
import { COLUMNS } from './material.js';

/** Judges a Parquet file's rows by expectations, and with `profile` profiles all of them, as a snapshot does. Prints one line of JSON. */
const [file = '', listed = '', profile] = process.argv.slice(2);
const expectations = JSON.parse(await readFile(listed, 'utf8')) as Expectation[];
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-ours-'));
const duck = await openDuck(folder);
try {
  const from = `read_parquet(${literal(file)})`;
  const columns = typedColumns(COLUMNS);
  const judged = evaluateExpectations({ duck, expectations, now: 0, relation: { from, rowName: 'id', columns: new Map(columns.map(({ name, type }) => [name, { type, sql: name }])) } });
  // While DuckDB validates, the rows are profiled from a stream of their own.
  const profiled = profile === 'profile' ? profileShard(file, { columns, target: { name: 'label', classes: ['leaves', 'stays'] }, seed: 0, signal: new AbortController().signal }) : null;
  const [results, state] = await Promise.all([judged, profiled]);
  const rows = state && summarize(state).rows;
  const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'latin1'))?.[1]) * 1024;
  process.stdout.write(`${JSON.stringify({ passed: results.filter(({ passed }) => passed).length, judged: results.length, peakBytes, rows })}\n`);
} finally {
  duck.close();
  await rm(folder, { recursive: true, force: true });
}
