import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Spill } from '../../activities/data/spill.js';

test('what was appended is read whole by several who ask at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-spill-'));
  const spill = await Spill.create(join(folder, 'rows'));
  try {
    const rows = Array.from({ length: 30 }, (_, row) => new Uint8Array(100_000).fill(row));
    const places = [];
    for (const row of rows) places.push(await spill.append(row));
    const read = await Promise.all(places.map((place) => spill.read(place)));
    expect(read.map((bytes, row) => Buffer.compare(bytes, rows[row] ?? new Uint8Array()))).toEqual(rows.map(() => 0));
  } finally {
    await spill.close();
    await rm(folder, { recursive: true });
  }
});
