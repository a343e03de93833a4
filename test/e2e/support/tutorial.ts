import { blocksOf, readPage, type Block } from '../../docs/support.js';

/** One block of the tutorial: lines for the shell, or a file that the text above it names, relative to where the reader is by then. */
export type Step = { readonly kind: 'shell'; readonly block: Block } | { readonly kind: 'file'; readonly path: string; readonly block: Block };

const PAGE = 'README.md';
export const TABLE = '## A model of your own, in ten minutes';
export const PICTURES = '## The same with pictures';

/** The steps of one of the README's tutorials, in order. */
export function tutorialSteps(heading: typeof TABLE | typeof PICTURES): Step[] {
  const lines = readPage(PAGE).split('\n');
  const from = lines.indexOf(heading);
  const to = lines.findIndex((line, index) => index > from && line.startsWith('## '));
  if (from < 0 || to < 0) throw new Error(`${PAGE} has no section "${heading}"`);
  return blocksOf(PAGE).filter(({ line }) => line > from && line < to).map((block) => {
    if (block.language === 'sh') return { kind: 'shell', block };
    const above = lines.slice(0, block.line - 3); // up to the empty line before the fence
    const paragraph = above.slice(above.lastIndexOf('') + 1).join(' ');
    const path = [...paragraph.matchAll(/`([^`\s]+\.\w+)`/g)].at(-1)?.[1];
    if (path === undefined) throw new Error(`${PAGE}:${block.line}: the text above does not name the file`);
    return { kind: 'file', path, block };
  });
}

/** What the tutorial's text puts between backquotes and begins as given: a promise of what will be shown. */
export function promised(beginning: string): string {
  const text = readPage(PAGE).replaceAll(/^```\w*\n[^]*?^```$/gm, '');
  const quoted = [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').find((candidate) => candidate.startsWith(beginning));
  if (quoted === undefined) throw new Error(`${PAGE} promises nothing that begins with "${beginning}"`);
  return quoted;
}
