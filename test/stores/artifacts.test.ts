import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArtifacts, type Artifacts, type ArtifactsConfig } from '../../stores/artifacts.js';
import { useStack } from '../support/use-stack.js';
import { digest } from './samples.js';

let config: ArtifactsConfig;
let artifacts: Artifacts;
let folder: string;
beforeAll(async () => {
  const stack = await useStack(['s3']);
  config = { ...stack.config.s3, bucket: await stack.createBucket() };
  artifacts = createArtifacts(config);
  folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
});
afterAll(async () => {
  artifacts.close();
  await rm(folder, { recursive: true, force: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe('artifacts', () => {
  it('content is stored once under its digest, by several writers at once, and comes back', async () => {
    const refs = await Promise.all([1, 2, 3, 4].map(() => artifacts.putBlob(bytes('the same'))));
    expect(new Set(refs.map(({ uri }) => uri))).toEqual(new Set([`s3://${config.bucket}/blobs/${digest('the same')}`]));
    const again = await artifacts.putBlob(bytes('the same'));
    expect(again).toEqual(refs[0]);
    expect(Buffer.from(await artifacts.get(again)).toString()).toBe('the same');
    expect(await artifacts.get(await artifacts.putBlob(new Uint8Array(0)))).toHaveLength(0);
    expect(await artifacts.exists(`blobs/${digest('the same')}`)).toBe(true);
    expect(await artifacts.exists('blobs/nothing')).toBe(false);
  });

  it('bytes that are not those of the reference are refused, and leave no file', async () => {
    const ref = await artifacts.putAt('reports/one.json', bytes('{"a":1}'), { contentType: 'application/json' });
    await artifacts.putAt('reports/one.json', bytes('{"a":2}'), { contentType: 'application/json' });
    await expect(artifacts.get(ref)).rejects.toMatchObject({ code: 'storage/digest-mismatch', retryable: true });
    const path = join(folder, 'deep', 'one.json');
    await expect(artifacts.getToFile(ref, path)).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
    expect(await readdir(join(folder, 'deep'))).toEqual([]);
    expect(Buffer.from(await artifacts.getAt('reports/one.json')).toString()).toBe('{"a":2}');
  });

  it('a file of 20 MB goes in parts and comes back as a file', async () => {
    const content = randomBytes(20 * 1024 * 1024 + 17);
    const path = join(folder, 'large.bin');
    await writeFile(path, content);
    const ref = await artifacts.putBlob(path);
    expect(ref).toMatchObject({ sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length });
    expect(await artifacts.putBlob(content)).toEqual(ref);
    const back = join(folder, 'back.bin');
    await artifacts.getToFile(ref, back);
    expect((await readFile(back)).equals(content)).toBe(true);
  });

  it('a missing object is said to be missing, and trying again is no use', async () => {
    const missing = { uri: `s3://${config.bucket}/blobs/none`, sha256: digest(''), bytes: 0 };
    await expect(artifacts.get(missing)).rejects.toMatchObject({ code: 'storage/missing', retryable: false });
    await expect(artifacts.get({ ...missing, uri: 's3://elsewhere/blobs/none' })).rejects.toMatchObject({ code: 'storage/missing' });
    await expect(artifacts.putBlob(join(folder, 'no-such-file'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keys are listed by prefix and deleted, absent ones too', async () => {
    for (const name of ['b', 'a', 'c/d']) await artifacts.putAt(`runs/r1/${name}`, bytes(name));
    expect(await artifacts.list('runs/r1/')).toEqual(['runs/r1/a', 'runs/r1/b', 'runs/r1/c/d']);
    await artifacts.delete([...await artifacts.list('runs/r1/'), 'runs/r1/never']);
    expect(await artifacts.list('runs/r1/')).toEqual([]);
    await artifacts.delete([]);
  });

  it('a presigned address opens its object and no other', async () => {
    const ref = await artifacts.putAt('reports/with space & ümlaut+(1).html', bytes('<p>hello</p>'), { contentType: 'text/html' });
    const address = await artifacts.presign(ref, 60);
    const answer = await fetch(address);
    expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([200, '<p>hello</p>', 'text/html']);
    const other = await artifacts.putAt('reports/other.html', bytes('secret'));
    const forged = new URL(await artifacts.presign(other, 60));
    const stolen = new URL(address);
    stolen.pathname = forged.pathname;
    expect((await fetch(stolen)).status).toBe(403);
  });

  it('S3 that is away, or refuses the keys, is a typed error that may be tried again', async () => {
    const away = createArtifacts({ ...config, endpoint: 'http://127.0.0.1:9' });
    const refused = createArtifacts({ ...config, secretAccessKey: 'wrong' });
    const began = Date.now();
    for (const broken of [away, refused]) {
      await expect(broken.putBlob(bytes('x'))).rejects.toMatchObject({ code: 'storage/unavailable', retryable: true });
      await expect(broken.list('')).rejects.toMatchObject({ code: 'storage/unavailable' });
      broken.close();
    }
    expect(Date.now() - began).toBeLessThan(30_000);
  });
});
