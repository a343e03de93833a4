import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EnvironmentPolicy } from '../../contract/policy.js';
import { ModelDefinition } from '../../definition/model.js';
import { compiler } from '../../infra/setup/build.mjs';
import { allBlocks, blocksOf, pages, readPage, root } from './support.js';

/** What a compiler that found errors leaves. */
const CompilerEnd = z.object({ stdout: z.string().min(1) });

describe('TypeScript examples', () => {
  it('compile against the public API', { timeout: 60_000 }, async () => {
    const blocks = allBlocks('ts');
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    const folder = await mkdtemp(join(tmpdir(), 'perennial-examples-'));
    try {
      await Promise.all(blocks.map(({ text }, index) => writeFile(join(folder, `example-${index}.ts`), text)));
      await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: { typeRoots: [join(root, 'node_modules', '@types')] }, include: ['*.ts'], exclude: [] }));
      const { command, args, env } = compiler(root);
      const { stdout } = await promisify(execFile)(command, [...args, '-p', folder], { cwd: folder, env: { ...process.env, ...env } }).catch((error: unknown) => CompilerEnd.parse(error));
      expect(stdout.replaceAll(/^example-(\d+)\.ts\((\d+)/gm, (_name, index: string, line: string) => `${blocks[Number(index)]?.page ?? ''}(${(blocks[Number(index)]?.line ?? 0) + Number(line) - 1}`)).toBe('');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('that are definitions are accepted as they stand', async () => {
    const definitions = allBlocks('ts').filter(({ text }) => text.includes('export default defineModel('));
    expect(definitions.map(({ page }) => page)).toEqual(['README.md', 'README.md', 'docs/definition.md', 'docs/definition.md', 'docs/definition.md']);
    const { defineModel, layers } = await import('../../definition/index.js');
    for (const { text, page } of definitions) {
      const script = text.replace(/^import .*$/m, '').replace('export default', 'return');
      const evaluate = runInThisContext(`(defineModel, layers) => {${script}}`) as (...parts: unknown[]) => Record<string, unknown>;
      const { $type: _mark, ...definition } = evaluate(defineModel, layers);
      expect(ModelDefinition.safeParse(definition).error?.issues ?? [], page).toEqual([]);
    }
  });
});

describe('JSON examples', () => {
  it('are JSON, and the policy is one', () => {
    for (const { text, page, line } of allBlocks('json')) expect(() => JSON.parse(text) as unknown, `${page}:${line}`).not.toThrow();
    const [policy] = blocksOf('docs/operations.md').filter(({ language }) => language === 'json');
    expect(EnvironmentPolicy.safeParse(JSON.parse(policy?.text ?? 'null')).error).toBeUndefined();
  });
});

describe('links', () => {
  it.each(pages)('of %s lead to files and headings that are there', (page) => {
    const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-');
    const broken = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '').filter((target) => !/^https?:/.test(target)).filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      if (!existsSync(join(root, path))) return true;
      return anchor !== undefined && ![...readPage(path).matchAll(/^#+ (.+)$/gm)].some((heading) => anchorOf(heading[1] ?? '') === anchor);
    });
    expect(broken).toEqual([]);
  });
});
