import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeHome } from '../../infra/stack/testing.js';
import { down } from '../../infra/supervisor/down.js';
import { root } from '../docs/support.js';
import { newcomersEnvironment } from '../support/environment.js';
import { openTerminal, type Answer, type Shown, type Terminal } from '../support/terminal.js';
import { endAbandoned, eventually, noteOwner } from './support/running-home.js';
import { PICTURES, promised, TABLE, tutorialSteps, type Step } from './support/tutorial.js';

const PREFIX = 'perennial-tutorial-';
const STATE = join('churn-tutorial', '.perennial');
const PATIENCE_MS = 300_000;
const DAY_MS = 86_400_000;

/** What a reader has to see after a line of a tutorial; every other line has to succeed. */
type Expected = Readonly<Record<string, (shown: string, home: string) => void | Promise<void>>>;

const ofTable: Expected = {
  'cd ~/churn-tutorial && npm install --prefix . ./perennial-*.tgz': (shown) => {
    expect(shown).toMatch(/added \d+ packages/);
    expect(shown).not.toMatch(/EBADENGINE|ERESOLVE|npm error/);
  },
  'perennial doctor': (shown) => {
    expect(shown).toMatch(/^ok +build +shipped$/m);
    expect(shown).not.toContain('MISSING');
    expect(shown).toContain('Everything that is needed is there.');
  },
  'perennial up': (shown) => {
    for (const part of ['postgres', 's3', 'temporal', 'smtp', 'lifecycle', 'compute', 'training', 'gateway', 'server-test', 'server-production']) expect(shown).toContain(`${part}: ready`);
  },
  'perennial init churn --kind table': (shown) => expect(shown).toMatch(/wrote .*churn\.model\.ts.* to .*\/churn-tutorial\/churn/),
  'perennial try churn': (shown) => {
    expect(shown).toMatch(/^accuracy +pass /m);
    expect(shown).toContain('Nothing was registered.');
  },
  'perennial principal key ada': (shown) => expect(shown).toMatch(/made the key of ada: .*\/secrets\/approvers\/ada\.key/),
  'git commit --message "First definition"': (shown) => expect(shown.split('\n')).toContain(promised('run churn-r1 ·')),
  'perennial show churn-r1 --follow --until waiting': async (shown, home) => {
    expect(shown).toMatch(/^churn-r1 {2}waiting/m);
    expect(shown).toContain('It made churn@1.');
    const until = new Date(/Waits for an approver's decision on churn@1 until (\S+Z)\./.exec(shown)?.[1] ?? 0);
    expect((until.getTime() - Date.now()) / DAY_MS).toBeCloseTo(7, 1);
    await eventually(async () => expect(await mailsOf(home)).toMatch(/^Subject: .*churn-r1/m));
  },
  'perennial approve churn-r1 --as ada': (shown) => expect(shown).toContain('approved: churn-r1 is released'),
  'perennial show churn-r1 --follow': (shown) => expect(shown).toMatch(/churn@1 is live in production\n(.*\n)*churn-r1 {2}released/),
  'perennial predict churn --row ../row.json': (shown) => {
    expect(shown).toMatch(/^[0-9a-f-]{36} +(stays|leaves) +0\.\d+ +0\.\d+$/m);
    expect(shown).toContain('by churn@1 (live, generation 1)');
  },
  'node ../traffic.mjs $SERVER ../.perennial/secrets/server-token': (shown) => expect(shown.trim()).toBe('200 labels kept'),
  'git commit --all --message "A wider layer"': (shown) => expect(shown).toMatch(/^run churn-r2 · /m),
  'perennial show churn-r2 --follow --until waiting': (shown) => expect(shown).toMatch(/^not-worse +pass /m),
  'perennial approve churn-r2 --as ada': (shown) => expect(shown).toContain('approved: churn-r2 is released'),
  'perennial show churn-r2 --follow': (shown) => expect(shown).toMatch(/^churn-r2 {2}released/m),
  'perennial rollback churn --reason "complaints from the shop"': (shown) => expect(shown).toContain('done: production serves churn@1'),
  'perennial resume churn@2 --reason "the shop\'s own mistake"': (shown) => expect(shown).toContain('the quarantine of churn@2 is lifted'),
  'perennial release churn@2 --force': (shown) => expect(shown).toContain('done: production serves churn@2'),
  'perennial audit churn@2': (shown) => {
    expect(shown).toMatch(/^churn@2 {2}live /m);
    expect(shown).toMatch(/ ada +approve +yes /);
    expect(shown).toContain('ledger churn/production: whole');
  },
  'perennial served-at churn "$(date --iso-8601=seconds)"': (shown) => expect(shown).toMatch(/^production-1 +churn@2 /m),
  'perennial score churn --input ../data/rows.parquet --wait': (shown) => expect(shown).toContain('done: 6000 rows in s3://'),
  'perennial down': (shown) => expect(shown).toMatch(/^down$/m),
};

const ofPictures: Expected = {
  'perennial init shapes': (shown) => expect(shown).toMatch(/wrote .*shapes\.model\.ts.* to .*\/churn-tutorial\/shapes/),
  'perennial try shapes': (shown) => expect(shown).toContain('Nothing was registered.'),
  'git commit --message "First definition"': (shown) => expect(shown).toMatch(/^run shapes-r1 · /m),
  'perennial show shapes-r1 --follow --until waiting': async (shown, home) => {
    expect(shown).toMatch(/^accuracy +pass /m);
    await eventually(async () => expect(await mailsOf(home)).toMatch(/^Subject: .*shapes-r1/m));
  },
  'perennial approve shapes-r1 --as ada': (shown) => expect(shown).toContain('approved: shapes-r1 is released'),
  'perennial show shapes-r1 --follow': (shown) => expect(shown).toMatch(/^shapes-r1 {2}released/m),
  'perennial predict shapes --image ../pictures/test/square/0.png': (shown) => {
    expect(shown).toMatch(/^[0-9a-f-]{36} +square +0\.\d+ +[01]\.\d+$/m);
    expect(shown).toContain('by shapes@1 (live, generation 1)');
  },
  'perennial profile shapes --html shapes.html': (shown) => expect(shown).toMatch(/^shapes: 2000 pictures; label: disc 10/m),
  'perennial down': (shown) => expect(shown).toMatch(/^down$/m),
};

/** An approver reads the evidence and types the beginning of its digest, then why. */
const decide: readonly Answer[] = [
  { to: /type the first \d+ characters of the evidence: /, type: (shown) => /^evidence: (\w{8})/m.exec(shown)?.[1] ?? 'no digest was shown' },
  { to: /Comment \(kept with the decision\): /, type: () => 'Good on every row.' },
];

async function mailsOf(home: string): Promise<string> {
  const folder = join(home, STATE, 'mail');
  return (await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
}

function succeeded(shown: readonly Shown[]): void {
  const failed = shown.filter(({ status }) => status !== null && status !== 0);
  expect(failed, failed.map(({ line, text, status }) => `${line}\n${text}exit code ${String(status)}`).join('\n')).toEqual([]);
}

/** The README's tutorials as a reader follows them: every block pasted, in order, in one shell, from the installed tarball. */
describe('the tutorials', () => {
  let home: string;
  let terminal: Terminal;

  beforeAll(async () => {
    await endAbandoned(PREFIX, STATE);
    home = await mkdtemp(join(tmpdir(), PREFIX));
    await noteOwner(home);
    await writeFile(join(home, '.gitconfig'), '[user]\n\tname = Grace\n\temail = grace@example.com\n');
    terminal = await openTerminal({ cwd: root, env: await newcomersEnvironment(home), patienceMs: PATIENCE_MS });
  });

  afterAll(async () => {
    await terminal.close();
    await down({ home: join(home, STATE) });
    await removeHome(join(home, STATE));
    await rm(home, { recursive: true, force: true });
  }, 180_000);

  async function follow(steps: readonly Step[], expected: Expected): Promise<void> {
    const open = new Set(Object.keys(expected));
    for (const step of steps) {
      if (step.kind === 'file') {
        const [here] = await terminal.paste('pwd');
        await writeFile(resolve(here?.text.trim() ?? '', step.path), `${step.block.text}\n`);
        continue;
      }
      const shown = await terminal.paste(step.block.text, step.block.text.includes('perennial approve ') ? decide : []);
      succeeded(shown);
      for (const { line, text } of shown) {
        if (open.delete(line)) await expected[line]?.(text, home);
      }
    }
    expect([...open], 'lines that the tutorial has no more').toEqual([]);
  }

  it('shows what it promises, word for word', { timeout: 1_100_000 }, () => follow(tutorialSteps(TABLE), ofTable));

  it('its check of the traffic is found, and `perennial up` goes on where it was left', { timeout: 600_000 }, async () => {
    const again = await terminal.paste('perennial up\nperennial predict churn --row ../row.json\nperennial monitor churn');
    succeeded(again);
    expect(again[1]?.text).toContain('by churn@2 (live, generation 4)');
    expect(again[2]?.text).toMatch(/ production +churn@1 +ok +\d+/);
    succeeded(await terminal.paste('perennial down'));
  });

  it('of pictures shows what it promises, word for word', { timeout: 900_000 }, () => follow(tutorialSteps(PICTURES), ofPictures));
});
