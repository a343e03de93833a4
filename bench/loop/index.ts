import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createWorld } from '../../cli/demo/world.js';
import { loadConfig } from '../../infra/config.js';
import { preparePictures, SMALL_COUNTS } from '../../infra/demo/pictures.js';
import { loadNativeParts } from '../../infra/native.js';
import type { BenchContext, Figure } from '../benchmark.js';
import { loopFigures } from './figures.js';
import { createPeople, placePictures } from './people.js';
import { createProduction } from './production.js';
import { createModelRepository } from './repository.js';
import { startBenchStack } from './stack.js';
import { readStages, type Stage } from './stages.js';
import { takeTurn, type Turn } from './turn.js';

const REPETITIONS = 5;
/** Between turns: what a turn leaves to be done (mails, the monitor's schedule, an unloaded runner) is done by then. */
const REST_MS = 2_000;

/** Turns of the loop on an idle stack. The first only warms up: it builds the snapshot that the others find. */
export async function benchLoop(context: BenchContext): Promise<readonly Figure[]> {
  const { signal, say } = context;
  const stack = await startBenchStack(context);
  const closing: (() => unknown)[] = [];
  try {
    const { home, env } = stack;
    const config = loadConfig({ env, cwd: home });
    const world = createWorld({ out: () => undefined, err: () => undefined, isTerminal: false, columns: 120, env, cwd: home, ask: null });
    const connection = await Connection.connect({ address: config.temporal.address });
    closing.push(() => connection.close());
    const temporal = new Client({ connection, namespace: config.temporal.namespace });
    const production = createProduction({ url: config.servers['production']?.url ?? '', token: (await readFile(join(config.secretsDir, 'server-token'), 'utf8')).trim() });
    closing.push(() => { production.close(); });

    say(`preparing ${SMALL_COUNTS.train} pictures`);
    await preparePictures({ cifarDir: loadNativeParts().cifar10, into: join(home, 'pictures'), small: true });
    await placePictures(world, pathToFileURL(join(home, 'pictures')).href);
    const repository = await createModelRepository(join(home, 'repository'));
    const people = await createPeople(world, repository.folder);

    const turns: Turn[] = [];
    const stages: Stage[][] = [];
    const rollbacks: number[] = [];
    for (let number = 0; number <= REPETITIONS; number += 1) {
      const turn = await takeTurn({ world, people, production, signal, commit: await repository.commit(number + 1) });
      say(`${number === 0 ? 'warm-up' : `${number}/${REPETITIONS}`}: training after ${seconds(turn.firstBatch - turn.hookAccepted)}, live after ${seconds(turn.live - turn.decided)}`);
      await sleep(REST_MS, undefined, { signal });
      if (number === 0) continue;
      turns.push(turn);
      stages.push(await readStages(temporal, turn));
      const { at, to } = await people.rollBack();
      rollbacks.push(await production.answeredBy(to, signal) - at);
      say(`     rolled back after ${seconds(rollbacks.at(-1) ?? 0)}`);
      await sleep(REST_MS, undefined, { signal });
    }
    return loopFigures({ turns, stages, rollbacks });
  } finally {
    for (const close of closing) await close();
    await stack.close();
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
