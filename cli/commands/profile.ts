import { spawn } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { RunId } from '../../contract/api/requests.js';
import { ProfileSummary } from '../../contract/data-profile.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { suggestionsOf } from '../../domain/profile/suggest.js';
import { expectationsText } from '../../domain/profile/suggest-text.js';
import { packageRoot } from '../../infra/stack/package-root.js';
import type { Context } from '../command.js';
import { UsageError } from '../errors.js';
import { profileText } from '../profile-text.js';
import type { Register } from '../register.js';

const Answer = z.object({ model: z.string(), snapshot: z.string(), createdAt: z.string(), profile: ProfileSummary, html: z.string() });

interface Options { suggest?: boolean; html?: string; target?: string }

export const addProfileCommands: Register = (add, program) => {
  add<[string[]], Options>(program, 'profile <of...>', 'what the rows of a model, a version (car-truck@3), a run (car-truck-r1) or some files are like',
    (command) => command.option('--suggest', 'print expectations that hold on these rows, to paste into the definition').option('--html <file>', 'write it as a page, with charts').option('--target <column>', 'of files: the column that will be predicted'),
    async (context, { suggest = false, html, target }, of) => {
      const files = await filesOf(context, of);
      if (files) return askWorker(context, ['--mode', 'profile', ...(suggest ? ['--suggest'] : []), ...(html === undefined ? [] : ['--html', resolve(context.io.cwd, html)]), ...(target === undefined ? [] : ['--target', target]), '--', ...files]);
      const [what = '', ...more] = of;
      if (more.length > 0) throw new UsageError(`one model, version or run, or files: ${of.join(', ')} are not all files`);
      if (target !== undefined) throw new UsageError('--target: of files; a model\'s target is in its definition');
      const answer = await context.api.get(Answer, pathOf(what));
      if (html !== undefined) await writeFile(resolve(context.io.cwd, html), await context.api.text(`/profiles/${answer.snapshot}.html`));
      if (suggest) {
        const suggestions = suggestionsOf(answer.profile);
        context.answer({ snapshot: answer.snapshot, suggestions }, () => expectationsText(suggestions));
        return 0;
      }
      context.answer(answer, () => [profileText(what, answer.profile), '', `page: ${html === undefined ? `${context.api.url}${answer.html}` : resolve(context.io.cwd, html)}`].join('\n'));
      return 0;
    });

  add<[string[]], { target?: string }>(program, 'schema <file...>', 'columns of CSV, Parquet or JSON lines files, as a definition writes them: paste and edit',
    (command) => command.option('--target <column>', 'the column that will be predicted: no input'),
    async (context, { target }, of) => {
      const files = await filesOf(context, of);
      if (!files) throw new UsageError(`files are asked for; ${of.join(', ')} are not all files`);
      return askWorker(context, ['--mode', 'schema', ...(target === undefined ? [] : ['--target', target]), '--', ...files]);
    });
};

/** The paths, where all of them are files; null where none needs to be. */
async function filesOf(context: Context, of: readonly string[]): Promise<string[] | null> {
  const paths = of.map((one) => resolve(context.io.cwd, one));
  const found = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => null))?.isFile() ?? false));
  if (found.every(Boolean)) return paths;
  const missing = of.find((one, index) => !found[index] && /[/.]/.test(one));
  if (missing !== undefined) throw new UsageError(`there is no file ${missing}`);
  return null;
}

function pathOf(what: string): string {
  if (VersionName.safeParse(what).success) {
    const { model, version } = parseVersionName(what);
    return `/models/${model}/versions/${version}/profile`;
  }
  return RunId.safeParse(what).success ? `/runs/${what}/profile` : `/models/${encodeURIComponent(what)}/profile`;
}

/** Files are read in a process of its own: DuckDB is not loaded with the command line. */
function askWorker(context: Context, args: readonly string[]): Promise<number> {
  const entry = join(packageRoot(), 'dist', 'workers', 'profile.js');
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...(context.json ? ['--json'] : []), ...args], { stdio: ['ignore', 'inherit', 'inherit'], env: context.io.env, cwd: context.io.cwd });
  return new Promise<number>((settle, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => { settle(code ?? 1); });
  });
}
