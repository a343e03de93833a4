import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readDefinitionFile } from '../../runtime/definition/read.js';

const folder = mkdtempSync(join(tmpdir(), 'perennial-view-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

async function read(fields: string) {
  writeFileSync(join(folder, 'a.view.ts'), `import { defineFeatureView } from 'perennial';
    const common = { schema: 1 as const, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'visits', entity: [{ name: 'customer', type: 'text' as const }], timestamp: 'day',
      source: { kind: 'parquet' as const, location: 'rows', path: '*.parquet' }, columns: ['visits'], schedule: '1h', ttl: '30d', freshness: '2h' };
    export const one = defineFeatureView({ ...common, name: 'activity', ${fields} });`);
  return readDefinitionFile({ checkout: folder, file: 'a.view.ts' });
}

it('a view is read in a child process; what changes its rows changes its digest, its policy does not', async () => {
  const [first, policy, content] = [await read(''), await read('freshness: \'5h\', ttl: \'1d\', overlap: \'3d\''), await read('columns: [\'visits\', \'other\']')];
  expect(first).toMatchObject({ models: [], views: [{ view: { name: 'activity', overlap: '1d', whenStale: 'refuse' }, file: 'a.view.ts' }] });
  expect(policy.views[0]?.digest).toBe(first.views[0]?.digest);
  expect(content.views[0]?.digest).not.toBe(first.views[0]?.digest);
});

it('wrong fields are named with their paths', async () => {
  await expect(read('ttl: \'a while\', entity: [], timestmp: \'x\', source: { kind: \'sql\', query: \'select 1\' } as never')).rejects.toMatchObject({
    code: 'definition/invalid', message: expect.stringContaining([
      '  entity: expected at least 1 entries, found []',
      '  source.connection: expected text, found nothing',
      '  ttl: expected text of this form: a duration is a whole number and a unit: 500ms, 30s, 15m, 12h, 7d, found "a while"',
      '  timestmp: expected no such field (is \'timestamp\' meant?), found "x"',
    ].join('\n')) as string,
  });
  await expect(read('columns: [\'customer\', \'known_time\'], freshness: \'5m\'')).rejects.toMatchObject({
    message: expect.stringContaining([
      '  columns[0]: expected another name than customer, which is taken, found "customer"',
      '  columns[1]: expected another name than event_time, known_time, stated_time, which the feature store uses itself, found "known_time"',
      '  freshness: expected at least the schedule of 1h: between two materialisations the view would be stale, found "5m"',
    ].join('\n')) as string,
  });
});
