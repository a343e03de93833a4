import { readdir, readFile } from 'node:fs/promises';
import { exampleTablesFolder } from '../../../infra/setup/example-tables.mjs';
import { decide, evidenceOf, signed } from './decisions.js';
import type { RunningHome } from './running-home.js';
import { createTeam, settled, untilWaiting } from './team.js';

/** What makes an example quick, and its run the same each time; how fast it answers is no matter of these tests. */
const EDITS = [
  [/seed: 7,/, 'seed: 7, threads: 1, quickPass: { rows: 128 },'],
  [/ {2}monitoring: \{/, '  testEnvironment: { rows: 60, p99Ms: 60_000, load: { seconds: 1, connections: 2 } },\n\n  monitoring: {'],
  // One retraining follows the first run at once.
  [/ {2}alerts: \{/, '  retraining: { cooldown: \'1s\' },\n\n  alerts: {'],
] as const;

/** The files of an example, as a team has them in its repository. */
export async function exampleFiles(name: string): Promise<Record<string, string>> {
  const folder = new URL(`../../../examples/${name}/`, import.meta.url);
  const files = await readdir(folder);
  return Object.fromEntries(await Promise.all(files.map(async (file) => {
    const text = await readFile(new URL(file, folder), 'utf8');
    return [file, file.endsWith('.model.ts') ? EDITS.reduce(edited, text) : text] as const;
  })));
}

function edited(text: string, [from, to]: (typeof EDITS)[number]): string {
  if (!from.test(text)) throw new Error(`the example no longer contains ${String(from)}`);
  return text.replace(from, to);
}

/** Commits an example, approves its first run, and gives what was shown before. */
export async function releaseExample(home: RunningHome, name: string, approver: string) {
  await home.world.perennial('location', 'set', 'tables', exampleTablesFolder());
  const team = await createTeam(home, name);
  const commit = await team.commit(await exampleFiles(name));
  await team.tell(commit);
  const waiting = await untilWaiting(home, await team.run(commit));
  await approve(home, waiting.run.id, approver);
  return waiting;
}

/** Signs for a run that waits, and waits until it is released. */
export async function approve(home: RunningHome, run: string, approver: string): Promise<void> {
  const answer = await decide(home, run, await signed(home, { run, evidence: await evidenceOf(home, run), approver }));
  if (answer !== 'accepted') throw new Error(`the decision on ${run} was answered ${answer}`);
  const { run: ended, explanation } = await settled(home, run);
  if (ended.status !== 'released') throw new Error(`${run} is ${ended.status}: ${explanation.stands}`);
}
