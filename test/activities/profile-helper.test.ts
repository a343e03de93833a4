import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileShard } from '../../activities/data/profile/table-profile.js';
import { typedColumns } from '../../definition/columns.js';

let folder: string;
let file: string;
const columns = typedColumns([
  'whole', { name: 'gaps', type: 'number', nullable: true }, { name: 'colour', type: 'text', nullable: true }, { name: 'more', type: 'number', nullable: true },
  { name: 'at', type: 'time', nullable: false }, { name: 'open', type: 'boolean', nullable: false },
]);

/** More chunks of 2,048 rows than wait for the other thread at once, and a last one that is not full. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-helper-'));
  file = join(folder, 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`copy (select case i % 3 when 0 then 'a' when 1 then 'b' else 'other' end as label, sin(i) * i as whole, case when i % 7 <> 0 then (i % 50)::double end as gaps,
    case when i % 11 <> 0 then 'colour ' || i % 9 end as colour, case when i % 5 <> 0 then cos(i) end as more, '2026-01-31T08:00:00.000Z' as at, i % 2 = 0 as open from range(300_001) r(i)) to '${file}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a second thread that takes in the numbers', () => {
  it.each([{ classes: ['a', 'b'] }, { classes: null }])('makes the same profile, to the last bit, with a target of $classes', async ({ classes }) => {
    const from = classes ? file : join(folder, 'numbers.parquet');
    if (!classes) {
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      await connection.run(`copy (select * replace (coalesce(gaps, 0) + whole as label) from '${file}') to '${from}' (format parquet)`);
      connection.closeSync();
      instance.closeSync();
    }
    const profileOf = (helped: boolean) => profileShard(from, { columns, target: { name: 'label', classes }, seed: 4, signal: new AbortController().signal, helped });
    const [alone, together] = [await profileOf(false), await profileOf(true)];
    expect(together).toEqual(alone);
    expect(together.rows).toBe(300_001);
    expect(together.columns.map(({ name, missing }) => [name, missing])).toContainEqual(['gaps', Math.ceil(300_001 / 7)]);
  });

  it('is ended with the profile that is given up', async () => {
    const giveUp = new AbortController();
    const profile = profileShard(file, { columns, target: { name: 'label', classes: ['a', 'b'] }, seed: 4, signal: giveUp.signal, helped: true });
    giveUp.abort(new Error('no longer wanted'));
    await expect(profile).rejects.toThrow();
  });
});
