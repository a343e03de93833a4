import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeCacheRoot } from '../../infra/native.js';
import type { BenchContext, Figure } from '../benchmark.js';
import { median } from '../report.js';
import { expectations, writeRows } from './material.js';
import { measureOurs, measurePeer, preparePeer } from './sides.js';
import type { Measured } from './sides.js';
import { createSnapshotBench } from './snapshot.js';
import type { CopySeconds } from './snapshot.js';

const ROUNDS = 3;
/** On a machine that has other work the rounds take longer: after this time no further one is begun. */
const ENOUGH_MS = 180_000;

/** In turns, each a process of its own: Great Expectations, ours, ours with a profile, a bare copy, a snapshot. */
export async function benchData(context: BenchContext): Promise<readonly Figure[]> {
  const { signal, say } = context;
  const python = await preparePeer(nativeCacheRoot(), context);
  const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-data-'));
  try {
    const rows = join(folder, 'rows');
    await mkdir(rows);
    const file = await writeRows(rows);
    const all = expectations();
    const [ours, theirs] = [join(folder, 'ours.json'), join(folder, 'theirs.json')];
    await writeFile(ours, JSON.stringify(all.map((one) => one.ours)));
    await writeFile(theirs, JSON.stringify(all.map((one) => one.theirs)));
    const snapshots = await createSnapshotBench(file, folder);
    try {
      const sides: Record<'peer' | 'validation' | 'profile', Measured[]> = { peer: [], validation: [], profile: [] };
      const copies: CopySeconds[] = [];
      const builds: number[] = [];
      const began = performance.now();
      for (let round = 1; round <= ROUNDS && (round === 1 || performance.now() - began < ENOUGH_MS); round += 1) {
        sides.peer.push(tell('Great Expectations', await measurePeer(python, file, theirs, signal)));
        sides.validation.push(tell('validation', await measureOurs(file, ours, false, signal)));
        sides.profile.push(tell('validation and profile', await measureOurs(file, ours, true, signal)));
        copies.push(await snapshots.copy());
        builds.push(await snapshots.build(signal));
        say(`round ${round}/${ROUNDS}: copy ${copies.at(-1)?.copied.toFixed(2) ?? ''} s (${copies.at(-1)?.stored.toFixed(2) ?? ''} s with S3), snapshot ${builds.at(-1)?.toFixed(2) ?? ''} s`);
      }
      return figures(sides, copies, builds);
    } finally {
      await snapshots.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  function tell(what: string, measured: Measured): Measured {
    say(`${what}: ${measured.seconds.toFixed(2)} s, ${(measured.peakBytes / 1e6).toFixed(0)} MB`);
    return measured;
  }
}

function figures({ peer, validation, profile }: Record<'peer' | 'validation' | 'profile', Measured[]>, copies: readonly CopySeconds[], builds: readonly number[]): Figure[] {
  const seconds = (side: readonly Measured[]) => median(side.map((one) => one.seconds));
  const bytes = (side: readonly Measured[]) => median(side.map((one) => one.peakBytes));
  return [
    { name: 'timesFasterThanGreatExpectations', title: '58 expectations, ours with a profile of every column as well, start and reading included: Great Expectations ÷ ours', value: seconds(peer) / seconds(profile), unit: '×', least: 5 },
    { name: 'memoryShareOfGreatExpectations', title: 'memory for it: ours ÷ Great Expectations', value: bytes(profile) / bytes(peer), unit: '×', goal: 1 / 3 },
    { name: 'timesFasterWithoutProfile', title: 'the same expectations on both sides, and nothing else', value: seconds(peer) / seconds(validation), unit: '×' },
    { name: 'memoryShareWithoutProfile', title: 'memory for that: ours ÷ Great Expectations', value: bytes(validation) / bytes(peer), unit: '×' },
    { name: 'snapshotTimeOverCopy', title: 'snapshot (checked, hashed, sorted, profiled, in S3) ÷ DuckDB copying the file on this disk (zstd, all threads)', value: median(builds) / median(copies.map(({ copied }) => copied)), unit: '×', goal: 1.5 },
    { name: 'snapshotTimeOverStoredCopy', title: 'the same ÷ that copy sent to S3 as well, in one piece of known digest', value: median(builds) / median(copies.map(({ stored }) => stored)), unit: '×' },
    { name: 'leastTimeOverCopy', title: 'all rows ordered by key and written as shards are, and nothing else ÷ that copy', value: median(copies.map(({ least }) => least)) / median(copies.map(({ copied }) => copied)), unit: '×' },
    { name: 'leastStoredTimeOverCopy', title: 'that, sent to S3 in one piece: nothing is checked, hashed or profiled, and no snapshot takes less ÷ that copy', value: median(copies.map(({ leastStored }) => leastStored)) / median(copies.map(({ copied }) => copied)), unit: '×' },
    { name: 'snapshotTimeOverLeast', title: 'snapshot ÷ rows ordered and sent', value: median(builds) / median(copies.map(({ leastStored }) => leastStored)), unit: '×' },
    { name: 'snapshotSeconds', title: 'one snapshot', value: median(builds), unit: 's', worst: Math.max(...builds) },
    { name: 'profileSeconds', title: 'what the profile adds to validation', value: seconds(profile) - seconds(validation), unit: 's' },
  ];
}
