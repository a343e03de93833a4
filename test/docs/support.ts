import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every page that readers are led to, by its path in the repository. */
export const pages = ['README.md', 'examples/car-truck/README.md', ...readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).sort().map((file) => `docs/${file}`)];

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');

export interface Block { readonly page: string; readonly line: number; readonly language: string; readonly text: string }

/** The fenced blocks of a page, in order; `line` is where the text begins. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | null = null;
  readPage(page).split('\n').forEach((line, index) => {
    const fence = /^```(\w*)$/.exec(line);
    if (!fence) { open?.lines.push(line); return; }
    if (open) blocks.push({ page, line: open.line, language: open.language, text: open.lines.join('\n') });
    open = open ? null : { language: fence[1] ?? '', line: index + 2, lines: [] };
  });
  return blocks;
}

export const allBlocks = (language: string): Block[] => pages.flatMap(blocksOf).filter((block) => block.language === language);

/** Rows of the tables of a page as cells, without head and rule; an escaped bar belongs to its cell. */
export function tableRows(text: string): string[][] {
  return text.split('\n').filter((line) => line.startsWith('|') && !/^\|[-| ]+\|$/.test(line)).map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** The part of a page below a heading, up to the next one of the same or a higher level. */
export function section(page: string, heading: string): string {
  const lines = readPage(page).split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`${page} has no heading ${heading}`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const end = lines.findIndex((line, index) => index > from && (/^(#+) /.exec(line)?.[1]?.length ?? 9) <= level);
  return lines.slice(from + 1, end < 0 ? undefined : end).join('\n');
}
