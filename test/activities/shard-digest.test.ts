import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestShard } from '../../activities/data/profile/table-profile.js';
import { typedColumns } from '../../definition/columns.js';
import { query } from './support/data.js';

let folder: string;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'perennial-shard-digest-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

const columns = typedColumns([
  { name: 'name', type: 'text', nullable: false }, { name: 'note', type: 'text', nullable: true }, { name: 'none', type: 'text', nullable: true }, { name: 'seen', type: 'boolean', nullable: true },
  { name: 'at', type: 'time', nullable: true }, { name: 'size', type: 'number', nullable: true }, 'zero',
]);

/** Texts that are empty, missing, longer than DuckDB holds in place, and longer than the digest takes as they are; two forms of zero; several chunks. */
async function digestOf(rows: number, label: 'number' | 'text', change = '*', options = '') {
  const file = join(folder, 'shard.parquet');
  await query(`copy (select ${change} from (select printf('row-%05d', i) as key, 'train' as split, ${label === 'text' ? "case when i % 2 = 1 then 'yes' else 'no' end" : 'i / 4.0::double'} as label, '{"region":"north"}' as attributes,
    case when i % 7 <> 0 then repeat('ü€', (i % 3 + 1)::bigint) else '' end as name, case when i % 5 <> 0 then repeat('x', i % 130) end as note, null::varchar as none,
    case when i % 3 <> 0 then i % 2 = 0 end as seen, case when i % 4 <> 0 then strftime(epoch_ms(i * 1000 - 5000000), '%Y-%m-%dT%H:%M:%S.%gZ') end as at,
    case when i % 6 <> 0 then i / 7 end as size, case when i % 2 = 1 then '-0'::double else 0 end as zero from range(${rows}) r(i)) order by key) to '${file}' (format parquet${options})`);
  return (await digestShard(file, { columns, target: { name: 'label', classes: label === 'text' ? ['yes', 'no'] : null }, split: 'train', seed: 0, signal: new AbortController().signal })).digest;
}

describe('the digest of a shard', () => {
  // Each was computed by a program of another language (Python's hashlib, struct and json), of contract/snapshot.ts alone.
  it('is what the contract describes', async () => {
    expect(await digestOf(5_000, 'text')).toBe('90e8f51bf209b4d59853796a29bec3e49f1d778db91e341eebb76c7070da1820');
    expect(await digestOf(5_000, 'number')).toBe('76c22f46cdc80100d747af8f6d2e93e562910b08b08d7c8862848e72fa425bda');
    expect(await digestOf(3, 'text')).toBe('6d877104af12203edfa38ffe2694d46c3de3c048f9735806276a8a73bc77c82b');
  });

  it('is of the rows, not of the file', async () => {
    expect(await digestOf(5_000, 'text', '*', ', compression zstd, row_group_size 2048, parquet_version v2')).toBe('90e8f51bf209b4d59853796a29bec3e49f1d778db91e341eebb76c7070da1820');
  });

  it('is another one where a single value is', async () => {
    const changes = [
      `replace (case when key = 'row-04000' then 'no' || chr(0) else label end as label)`, `replace (case when key = 'row-04001' then note || 'y' else note end as note)`, `replace (case when key = 'row-00007' then ' ' else name end as name)`,
      `replace (case when key = 'row-00011' then '' else none end as none)`, `replace (case when key = 'row-00003' then true else seen end as seen)`, `replace (case when key = 'row-00004' then '1970-01-01T00:00:00.001Z' else "at" end as "at")`,
      `replace (case when key = 'row-00006' then 0 else size end as size)`, `replace (case when key = 'row-00001' then 1 else zero end as zero)`, `replace (case when key = 'row-00001' then '{}' else attributes end as attributes)`,
      `replace (case when key = 'row-04999' then 'row-05000' else key end as key)`,
      // What is at the end of one text, at the beginning of the next.
      `replace (case key when 'row-00001' then 'ü' when 'row-00002' then '€ü€ü€ü€' else name end as name)`,
    ];
    const digests = new Set([await digestOf(5_000, 'text')]);
    for (const change of changes) digests.add(await digestOf(5_000, 'text', `* ${change}`));
    expect(digests.size).toBe(changes.length + 1);
  });
});
