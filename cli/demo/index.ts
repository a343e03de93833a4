import { join, resolve } from 'node:path';
import { DEMO_COUNTS } from '../../infra/demo/pictures.js';
import { down } from '../../infra/supervisor/down.js';
import { up } from '../../infra/supervisor/up.js';
import { formatDuration } from '../../domain/times.js';
import type { Context } from '../command.js';
import type { Register } from '../register.js';
import { Audit, Models, Versions } from '../views.js';
import { createNarrator } from './narrator.js';
import { tellStory } from './story.js';
import { createWorld } from './world.js';

/** `perennial demo`: the whole loop, once, on this machine. */
export const addDemoCommand: Register = (add, program) => {
  add<[], { keep?: boolean }>(program, 'demo', 'play the whole loop on real parts: commit, release, decay, retraining, release', (command) => command.option('--keep', 'leave everything running'),
    async (context, { keep = false }) => {
      const home = resolve(context.config.home);
      const io = { ...context.io, env: { ...context.io.env, PERENNIAL_HOME: home } };
      const world = createWorld(io);
      const narrator = createNarrator(context);
      context.io.out(`${context.paint.bold('Perennial')}: from a commit to a released model, and from decay to its successor. State folder: ${home}\n`);
      const started = await up({ home, detach: true, onProgress: ({ programs }) => context.note(`   ${programs.map(({ name, state }) => `${name} ${state}`).join(', ')}`) });
      try {
        const model = await freeName(world.context);
        const story = await tellStory({ world, narrator, home, model, counts: DEMO_COUNTS, labelsPerCheck: 2_000, expected: { day: 0.85, nightBelow: 0.6, recovered: 0.75 } });
        narrator.chapter('What served when, decided by whom, on what evidence');
        narrator.say(await summary(world.context, model));
        const { chapters, totalMs } = narrator.end();
        narrator.say(chapters.map(({ title, ms }) => `${formatDuration(ms).padStart(9)}  ${title}`).join('\n'));
        narrator.say(`${formatDuration(totalMs).padStart(9)}  in all. Accuracy: ${(story.accuracy.day * 100).toFixed(1)}% by day, ${(story.accuracy.night * 100).toFixed(1)}% at night, ${(story.accuracy.recovered * 100).toFixed(1)}% at night after retraining.`);
        narrator.say(`\nGo on: perennial up (everything is kept in ${home}) · perennial show ${model} · perennial audit ${model}@2 · the evidence mails are in ${join(home, 'mail')}`);
      } finally {
        if (!keep && started.state !== 'already-running') await down({ home });
      }
      return 0;
    });
};

/** The first demo's model is `car-truck`; a later one gets a name of its own and leaves the earlier as it is. */
async function freeName({ api }: Context): Promise<string> {
  const taken = new Set((await api.get(Models, '/models')).models.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'car-truck' : `car-truck-${number}`;
    if (!taken.has(name)) return name;
  }
}

async function summary({ api }: Context, model: string): Promise<string> {
  const { versions } = await api.get(Versions, `/models/${model}/versions`);
  const lines: string[] = [];
  for (const { version, status } of [...versions].sort((a, b) => a.version - b.version)) {
    const audit = await api.get(Audit, `/models/${model}/versions/${version}/audit`);
    const decision = audit.decisions.find(({ accepted }) => accepted);
    const served = audit.served.filter(({ environment }) => environment === 'production').map(({ from, until }) => `${from.slice(11, 19)} to ${until?.slice(11, 19) ?? 'now'}`);
    lines.push(
      `${model}@${version} (${status}): served ${served.join(', ') || 'never'}`,
      `  commit ${audit.commit.commit.slice(0, 12)} by ${audit.commit.committer?.name ?? 'unknown'}, snapshot ${audit.data?.snapshot.slice(0, 12) ?? ''} (${audit.data?.rows ?? 0} rows)`,
      `  approved by ${decision?.approver ?? 'nobody'} (${decision?.via ?? ''}) on evidence ${audit.evidence?.digest.slice(0, 12) ?? ''}; ledger ${audit.ledgerVerified ? 'verified' : 'BROKEN'}`,
    );
  }
  return lines.join('\n');
}
