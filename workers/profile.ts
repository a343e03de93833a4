import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDuck } from '../activities/data/duckdb.js';
import { inferTable, profileInferred } from '../activities/data/profile/infer.js';
import type { InferredTable } from '../activities/data/profile/infer.js';
import { profilePage } from '../activities/data/profile/page.js';
import { schemaOf, schemaText } from '../activities/data/profile/schema-text.js';
import { TextFileError } from '../activities/data/text-file.js';
import { tell } from '../cli/errors.js';
import { createPaint } from '../cli/io.js';
import { profileText } from '../cli/profile-text.js';
import type { ProfileSummary } from '../contract/data-profile.js';
import { PerennialError } from '../contract/errors.js';
import { expectationsText } from '../domain/profile/suggest-text.js';
import { suggestionsOf } from '../domain/profile/suggest.js';
import { summarize } from '../domain/profile/summary.js';

/** `perennial profile` and `perennial schema` of files: they are read on this machine, and nothing is stored. */
const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { mode: { type: 'string', default: 'profile' }, suggest: { type: 'boolean', default: false }, html: { type: 'string' }, target: { type: 'string' }, json: { type: 'boolean', default: false } },
});
const target = values.target ?? null;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort(new Error(`ended by ${signal}`)); });

process.exitCode = await main().then(() => 0, (error: unknown) => {
  const told = tell(error instanceof TextFileError ? new PerennialError('data/blocked', `the file cannot be read: ${error.message}${error.line === undefined ? '' : ` (line ${error.line})`}`) : error);
  const paint = createPaint({ isTerminal: process.stderr.isTTY, env: process.env });
  if (values.json) process.stdout.write(`${JSON.stringify({ error: told }, null, 2)}\n`);
  else process.stderr.write(`${paint.red('failed')}: ${told.message} (${told.code})\nnext: ${told.next}\n`);
  return 1;
});

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-profile-'));
  try {
    const duck = await openDuck(folder, stop.signal);
    try {
      const table = await inferTable(duck, files, folder, stop.signal);
      const summary = summarize(await profileInferred(duck, table, target, stop.signal));
      if (values.html !== undefined) await writeFile(values.html, profilePage(titleOf(), summary));
      print(table, summary);
    } finally {
      duck.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(table: InferredTable, summary: ProfileSummary): void {
  const schema = schemaOf(table, summary, target);
  const suggestions = suggestionsOf(summary);
  const told = values.mode === 'schema' ? { files, ...schema } : values.suggest ? { files, suggestions } : { files, leftOut: table.leftOut, profile: summary };
  const text = () => {
    if (values.mode === 'schema') return schemaText(schema, table, summary, target, files[0] ?? '');
    return values.suggest ? expectationsText(suggestions) : [profileText(titleOf(), summary), ...(values.html === undefined ? [] : ['', `page: ${values.html}`])].join('\n');
  };
  process.stdout.write(values.json ? `${JSON.stringify(told, null, 2)}\n` : `${text()}\n`);
  if (!values.json && table.leftOut.length > 0) process.stderr.write(`${table.leftOut.length} lines are no row and were left out: ${table.leftOut.slice(0, 5).join(', ')}\n`);
}

function titleOf(): string {
  const [first = '', ...more] = files;
  return more.length === 0 ? basename(first) : `${basename(first)} and ${more.length} more`;
}
