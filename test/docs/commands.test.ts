import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { addDemoCommand } from '../../cli/demo/index.js';
import { runCommandLine } from '../../cli/program.js';
import { ROLES } from '../../contract/policy.js';
import { openApiDocument } from '../../gateway/http/openapi.js';
import { RAW_ROUTES, ROUTES } from '../../gateway/routes/index.js';
import { Variables } from '../../infra/config/variables.js';
import { allBlocks, pages, readPage, root, section, tableRows } from './support.js';

/** Without the build or any dependency, so not commands of the command line proper. */
const BESIDE = ['setup', 'doctor'];

async function helpOf(words: readonly string[]): Promise<string> {
  let help = '';
  await runCommandLine([...words, '--help'], { out: (text) => { help += text; }, err: () => undefined, isTerminal: false, columns: 400, env: {}, cwd: '/', ask: null }, [addDemoCommand]);
  return help;
}

/** Quoted text holds no options of ours, also where it runs another program. */
const withoutQuotes = (line: string) => line.replaceAll(/'[^']*'|"[^"]*"/g, 'TEXT');

/** What follows `perennial` in the text: its command (two words where the first is a group) and its options. */
async function problemsOf(line: string): Promise<string[]> {
  const words = line.split(/\s+/).filter((word) => word !== '');
  const [first = '', second = ''] = words;
  if (BESIDE.includes(first)) return [];
  if (first.startsWith('-')) return [];
  const top = await helpOf([]);
  if (!new RegExp(`^  ${first}\\b`, 'm').test(top)) return [`no command ${first}`];
  const group = await helpOf([first]);
  const isGroup = /^Commands:$/m.test(group);
  // A group that is a command as well, of something that is named behind it.
  const named = isGroup && /^Usage: .*\[command\] [[<]/m.test(group) && !new RegExp(`^  ${second}\\b`, 'm').test(group);
  if (isGroup && !named && !new RegExp(`^  ${second}\\b`, 'm').test(group)) return second === '' ? [] : [`no command ${first} ${second}`];
  const help = isGroup && !named ? await helpOf([first, second]) : group;
  return words.filter((word) => word.startsWith('--')).filter((option) => !new RegExp(`(^|[ ,])${option}\\b`, 'm').test(help)).map((option) => `no option ${option} of ${first}`);
}

it('every command and option that the pages show is there', { timeout: 60_000 }, async () => {
  const inShell = allBlocks('sh').flatMap(({ page, line, text }) => text.split('\n').flatMap((row, index) => [...withoutQuotes(row).replace(/(^|\s)#.*$/, '').matchAll(/(?:^|[\s;(])perennial ([^|;)\\]+)/g)].map((match) => ({ at: `${page}:${line + index}`, command: match[1] ?? '' }))));
  const inText = pages.flatMap((page) => [...readPage(page).matchAll(/`perennial ([^`]+)`/g)].map((match) => ({ at: page, command: match[1] ?? '' })));
  expect(inShell.length).toBeGreaterThan(50);
  const problems: string[] = [];
  for (const { at, command } of [...inShell, ...inText]) problems.push(...(await problemsOf(withoutQuotes(command))).map((problem) => `${at}: ${problem}`));
  expect(problems).toEqual([]);
});

it('every script that the pages run is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const shown = pages.flatMap((page) => [...readPage(page).matchAll(/npm run ([\w:]+)/g)].map((match) => match[1] ?? ''));
  expect(shown.filter((script) => !(script in scripts))).toEqual([]);
});

it('every path of the control API that the pages name is a route', () => {
  const { paths } = openApiDocument([...RAW_ROUTES, ...ROUTES], '1') as { paths: Record<string, unknown> };
  const shape = (path: string) => path.replaceAll(/<[^>]+>(\.\w+)?|\{[^}]+\}/g, '*').replace(/\?.*$/, '');
  const known = new Set([...Object.keys(paths).map(shape), '/api/v1/openapi.json']);
  const named = pages.flatMap((page) => [...readPage(page).matchAll(/(\/api\/v1\/[^\s"'`)]+)/g)].map((match) => shape(match[1] ?? '')));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !known.has(path))).toEqual([]);
});

it('every variable of the configuration is documented', () => {
  const documented = section('docs/operations.md', '## Configuration');
  expect(Object.keys(Variables.shape).filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
});

it('every role is documented', () => {
  expect(tableRows(section('docs/operations.md', '## People, roles, tokens')).slice(1).map(([role = '']) => role.replaceAll('`', ''))).toEqual([...ROLES]);
});

it('the rooms may import what the architecture page says', () => {
  const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: { name: string; comment?: string }[] };
  const checked = Object.fromEntries(forbidden.filter(({ name }) => name.startsWith('room-')).map(({ name, comment = '' }) => [name.slice('room-'.length), (/may import (.*)$/.exec(comment)?.[1] ?? '').split(', ').filter((room) => room !== 'no other room').sort()]));
  const documented = Object.fromEntries(tableRows(section('docs/architecture.md', '## Rooms')).slice(1).map(([room = '', , may = '']) => [room.replaceAll(/[`/]/g, ''), [...may.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '').sort()]));
  expect(documented).toEqual(checked);
});
