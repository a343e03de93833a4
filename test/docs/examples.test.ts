import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { EnvironmentPolicy } from '../../contract/policy.js';
import { ModelDefinition } from '../../definition/model.js';
import { allBlocks, blocksOf, pages, readPage, root } from './support.js';

describe('TypeScript examples', () => {
  it('compile against the public API', { timeout: 60_000 }, () => {
    const blocks = allBlocks('ts');
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    const files = new Map(blocks.map((block, index) => [join(root, `.example-${index}.ts`), block]));
    const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config, ts.sys, root);
    const host = ts.createCompilerHost({ ...options, noEmit: true });
    const withExamples: ts.CompilerHost = {
      ...host,
      readFile: (file) => files.get(file)?.text ?? host.readFile(file),
      fileExists: (file) => files.has(file) || host.fileExists(file),
      getSourceFile: (file, target, ...rest) => {
        const block = files.get(file);
        return block ? ts.createSourceFile(file, block.text, target) : host.getSourceFile(file, target, ...rest);
      },
    };
    const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, withExamples);
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const block = file && files.get(file.fileName);
      const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${block ? `${block.page}:${block.line + line}` : file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(problems).toEqual([]);
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
