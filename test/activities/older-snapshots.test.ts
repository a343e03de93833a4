import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataActivities, openSnapshot } from '../../activities/data/index.js';
import { SnapshotProfile } from '../../contract/data-profile.js';
import { digestOf } from '../../domain/digest.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import { createDataStack, keysOf } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

const csv = `id,outcome,n\n${Array.from({ length: 60 }, (_, index) => `row-${index},${index % 2 ? 'yes' : 'no'},${Math.sin(index)}`).join('\n')}\n`;
const table = (location: string): Data => ({
  kind: 'table', columns: ['n'], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 }, comparison: {},
  sources: [{ kind: 'csv', location, path: '*.csv', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
});

/** Saves a snapshot of `model` as builds did before digests were of columns: the manifest does not say how they are made, and they are others. */
async function saveOlder(model: string, digest: string): Promise<string> {
  const { manifest } = await openSnapshot(stack.deps, digest);
  const known = await stack.stores.snapshots.get(digest);
  if (!known?.profile) throw new Error('the snapshot has no profile');
  const older = (shard: { digest: string }) => digestOf({ older: shard.digest });
  const { rowDigest, ...content } = manifest.content;
  expect(rowDigest).toBe(2);
  const described = { ...content, model, shards: content.shards.map((shard) => ({ ...shard, digest: older(shard) })) };
  const name = digestOf(described);
  const ref = await stack.artifacts.putOnce(`snapshots/${name}/manifest.json`, new TextEncoder().encode(JSON.stringify({ ...manifest, digest: name, content: described, shards: manifest.shards.map((shard) => ({ ...shard, digest: older(shard) })) })));
  const profile = SnapshotProfile.parse(await readJson(stack.artifacts, known.profile.data));
  const data = await putJson(stack.artifacts, { ...profile, parts: profile.parts.map(({ shard, ...part }) => ({ ...part, shard: older({ digest: shard }) })) });
  await stack.stores.snapshots.save({ ...known, digest: name, model, manifest: ref, profile: { ...known.profile, data } }, 0);
  return name;
}

describe('a snapshot of before digests were of columns', () => {
  it('is read, compared with, erased from, and shares the files of the same rows', async () => {
    const place = await stack.locate();
    await place.put('a.csv', csv);
    const first = await (await stack.define(table(place.name))).build();
    const { model, build } = await stack.define(table(place.name));
    const older = await saveOlder(model, first.digest);
    const read = await openSnapshot(stack.deps, older);
    expect(await keysOf(read.localShards.map(({ path }) => path))).toEqual(Array.from({ length: 60 }, (_, index) => `row-${index}`).sort());

    const built = await build();
    expect(built).toMatchObject({ blocked: false, reused: false, rows: 60, report: { findings: [], comparison: { previous: older } } });
    expect(built.digest).not.toBe(older);
    expect(built.report.comparison?.differences.filter(({ exceeded }) => exceeded)).toEqual([]);
    expect((await openSnapshot(stack.deps, built.digest)).manifest.shards.map(({ file }) => file)).toEqual(read.manifest.shards.map(({ file }) => file));

    await stack.stores.erasures.request({ id: `${model}-1`, model, key: 'row-7', reason: 'a request', by: 'ada' });
    await new MockActivityEnvironment().run(() => createDataActivities(stack.deps).findErased({ model, id: `${model}-1` }));
    expect((await stack.stores.erasures.snapshotsOf(`${model}-1`)).map(({ snapshot }) => snapshot).sort()).toEqual([older, built.digest].sort());
  });
});
