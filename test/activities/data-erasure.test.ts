import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataActivities, openSnapshot } from '../../activities/data/index.js';
import { addRun, versionOf } from '../stores/samples.js';
import { createDataStack, keysOf, pixels, png, SHAPE } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

const KEY = 'ada.lovelace@example.com';
const keys = (count: number) => [...Array.from({ length: count }, (_, index) => `person-${index}@example.com`), KEY];
const csv = (count: number) => `id,outcome,n\n${keys(count).map((key, index) => `${key},${index % 2 ? 'yes' : 'no'},${Math.sin(index)}`).join('\n')}\n`;
const table = (location: string): Data => ({
  kind: 'table', columns: ['n'], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 },
  sources: [{ kind: 'csv', location, path: '*.csv', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
});

const search = (model: string, id: string) => new MockActivityEnvironment().run(() => createDataActivities(stack.deps).findErased({ model, id }));
const erase = async (model: string, id: string, key = KEY) => stack.stores.erasures.request({ id, model, key, reason: 'a request', by: 'ada' });
const keysIn = async (digest: string) => {
  const { localShards } = await openSnapshot(stack.deps, digest);
  return keysOf(localShards.map(({ path }) => path));
};
const blobs = () => stack.artifacts.list('blobs/');

describe('an erased row of a table', () => {
  it('is found in the snapshots that hold it, left out of later ones, and its files go once these are there', async () => {
    const place = await stack.locate();
    await place.put('a.csv', csv(60));
    const { build, model } = await stack.define(table(place.name));
    const first = await build();
    expect(await keysIn(first.digest)).toContain(KEY);
    const run = await addRun(stack.stores, model);
    await stack.stores.versions.register({ ...versionOf(model, run), snapshot: first.digest });

    expect(await erase(model, `${model}-1`)).toMatchObject({ created: true, erasure: { searchedAt: null } });
    expect(await erase(model, `${model}-2`)).toMatchObject({ created: false, erasure: { id: `${model}-1` } });
    await search(model, `${model}-1`);
    await search(model, `${model}-1`);
    const [marked, ...others] = await stack.stores.erasures.snapshotsOf(`${model}-1`);
    expect(marked).toMatchObject({ snapshot: first.digest, removedAt: null });
    expect(others).toEqual([]);
    expect(marked?.files).toHaveLength(1);
    expect(await blobs()).toContain(`blobs/${marked?.files[0] ?? ''}`);

    // Nothing trains on it or is built again from it, and it says why.
    await expect(openSnapshot(stack.deps, first.digest)).rejects.toMatchObject({ code: 'data/erased', message: expect.stringContaining(`${model}-1`) as string });

    const second = await build();
    expect(second).toMatchObject({ blocked: false, rows: 60, reused: false, report: { findings: [{ check: 'erased', severity: 'drop', count: 1, rows: [] }] } });
    expect(second.digest).not.toBe(first.digest);
    expect(await keysIn(second.digest)).toEqual(keys(60).slice(0, -1).sort());
    expect((await stack.stores.erasures.snapshotsOf(`${model}-1`))[0]?.removedAt).not.toBeNull();
    expect(await blobs()).not.toContain(`blobs/${marked?.files[0] ?? ''}`);
    expect(await readdir(join(stack.deps.scratch, 'shards'))).not.toContain(`${marked?.files[0] ?? ''}.parquet`);
    expect(await stack.artifacts.list(`snapshots/${first.digest}/`)).toEqual([`snapshots/${first.digest}/manifest.json`]);
    expect(await build()).toMatchObject({ digest: second.digest, reused: true });
    // A build that began before the erasure is refused its snapshot, and tried again: the search may have passed it by.
    const saved = await stack.stores.snapshots.get(second.digest);
    if (!saved) throw new Error('the snapshot is not there');
    await expect(stack.stores.snapshots.save({ ...saved, digest: first.digest }, 0)).rejects.toMatchObject({ code: 'data/changed', retryable: true });
    // A key that comes back in another file stays out.
    await place.put('b.csv', csv(0));
    expect((await build()).digest).toBe(second.digest);
  });

  it('is in no table of the registry, and of two models only that of the one it was asked for', async () => {
    const place = await stack.locate();
    await place.put('a.csv', csv(30));
    const [one, two] = [await stack.define(table(place.name)), await stack.define(table(place.name))];
    const [first, other] = [await one.build(), await two.build()];
    await erase(one.model, `${one.model}-1`);
    await search(one.model, `${one.model}-1`);
    expect((await one.build()).rows).toBe(30);
    // The other model has the same shards: they stay, whole.
    expect(await keysIn(other.digest)).toContain(KEY);
    await erase(one.model, `${one.model}-none`, 'nobody@example.com');
    await search(one.model, `${one.model}-none`);
    expect(await stack.stores.erasures.snapshotsOf(`${one.model}-none`)).toEqual([]);
    const { erasures } = stack.stores;
    const kept = JSON.stringify([await erasures.listFor(one.model), await erasures.erased(one.model), await stack.stores.snapshots.get(first.digest), await erasures.toRemove(one.model)]);
    expect(kept).not.toContain('lovelace');
  });
});

it('an erased picture is left out too', async () => {
  const place = await stack.locate();
  for (let index = 0; index < 12; index += 1) await place.put(`${index < 8 ? 'train' : 'test'}/${index % 2 ? 'truck' : 'car'}/${index}.png`, png(pixels(500 + index)));
  const { build, model } = await stack.define({
    kind: 'images', image: SHAPE, target: { classes: ['car', 'truck'] }, checks: { minimumRowsPerClass: 2 },
    sources: (['train', 'test'] as const).map((split) => ({ kind: 'image-folder', location: place.name, path: split, split })),
  });
  expect((await build()).rows).toBe(12);
  await erase(model, `${model}-1`, `${place.name}/train/car/0.png`);
  await search(model, `${model}-1`);
  expect(await stack.stores.erasures.snapshotsOf(`${model}-1`)).toHaveLength(1);
  expect(await build()).toMatchObject({ rows: 11, report: { findings: [{ check: 'erased', count: 1 }] } });
  expect(await stack.stores.erasures.toRemove(model)).toEqual([]);
});
