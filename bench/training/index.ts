import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestStack } from '../../infra/stack/testing.js';
import { createArtifacts } from '../../stores/artifacts.js';
import type { BenchContext, Figure } from '../benchmark.js';
import { median } from '../report.js';
import { prepareMaterial } from './material.js';
import { trainAsStage, trainBare, type Trained } from './sides.js';

/** Fewer than the example's, so that the whole takes three minutes on two cores; what is paid once a training weighs more this way, not less. */
const EPOCHS = 6;
const ROUNDS = 3;
/** On a machine that has other work the rounds take longer: after this time no further one is begun. */
const ENOUGH_MS = 180_000;
/** A side that learns nothing did not do the work. */
const LEARNT = 0.7;

/** Trains in turns: the stage, the bare script, the stage, … so that a busy moment of the machine meets both alike. */
export async function benchTraining(context: BenchContext): Promise<readonly Figure[]> {
  const { signal, say } = context;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-training-'));
  const stack = await startTestStack({ parts: ['s3'] });
  const artifacts = createArtifacts(stack.config.s3);
  try {
    const material = await prepareMaterial(folder, EPOCHS, context);
    const common = { material, folder, signal };
    await trainAsStage({ ...common, artifacts, attempt: 'warm-up', mode: 'quick' });
    const stage: Trained[] = [];
    const bare: Trained[] = [];
    const began = performance.now();
    for (let round = 1; round <= ROUNDS && (round === 1 || performance.now() - began < ENOUGH_MS); round += 1) {
      stage.push(tell(`stage ${round}/${ROUNDS}`, await trainAsStage({ ...common, artifacts, attempt: `full-${round}` })));
      bare.push(tell(`bare ${round}/${ROUNDS}`, await trainBare(common)));
    }
    return figures(stage, bare, material.rows * EPOCHS);
  } finally {
    artifacts.close();
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  }

  function tell(what: string, trained: Trained): Trained {
    say(`${what}: ${trained.seconds.toFixed(1)} s for ${EPOCHS} epochs${trained.processor === null ? '' : ` (${trained.processor.toFixed(1)} s of processor time)`}, accuracy ${trained.accuracy.toFixed(3)}`);
    if (!(trained.accuracy > LEARNT)) throw new Error(`${what} learnt nothing (accuracy ${trained.accuracy}): the times would mean nothing`);
    return trained;
  }
}

function figures(stage: readonly Trained[], bare: readonly Trained[], rowsTrained: number): Figure[] {
  const seconds = (side: readonly Trained[]) => side.map((trained) => trained.seconds);
  const [ours, theirs] = [median(seconds(stage)), median(seconds(bare))];
  const processor = (side: readonly Trained[]) => side.flatMap((trained) => trained.processor ?? []);
  const known = processor(stage).length > 0 && processor(bare).length > 0;
  return [
    { name: 'ratioToBare', title: 'training stage ÷ bare script, start to stored model', value: ours / theirs, unit: '×', goal: 1.1 },
    // Other work on the machine hardly touches this one.
    ...(known ? [{ name: 'processorRatioToBare', title: 'the same in processor time', value: median(processor(stage)) / median(processor(bare)), unit: '×' } as const] : []),
    { name: 'stageRowsPerSecond', title: 'rows trained, stage', value: rowsTrained / ours, unit: 'rows/s' },
    { name: 'bareRowsPerSecond', title: 'rows trained, bare script', value: rowsTrained / theirs, unit: 'rows/s' },
    { name: 'stageSeconds', title: 'one training, stage', value: ours, unit: 's', worst: Math.max(...seconds(stage)) },
    { name: 'bareSeconds', title: 'one training, bare script', value: theirs, unit: 's', worst: Math.max(...seconds(bare)) },
  ];
}
