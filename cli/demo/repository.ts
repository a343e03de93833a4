import { cp, readFile, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../infra/stack/package-root.js';

const run = promisify(execFile);

/** The team's git repository, made from the example under a model name of its own. */
export async function createRepository({ folder, model, edit }: { folder: string; model: string; edit: (source: string) => string }): Promise<void> {
  await cp(join(packageRoot(), 'examples', 'car-truck'), folder, { recursive: true });
  for (const file of ['car-truck.model.ts', 'car-truck.test.ts']) {
    const path = join(folder, file);
    const source = (await readFile(path, 'utf8')).replaceAll("'car-truck'", `'${model}'`);
    await writeFile(path, file.endsWith('.model.ts') ? edit(source) : source);
  }
  await git(folder, 'init', '--quiet', '--initial-branch', 'main');
  await git(folder, 'config', 'user.name', 'Dana Scientist');
  await git(folder, 'config', 'user.email', 'dana@example.com');
}

/** Adds all and commits; gives what git and its hook printed. */
export async function commitAll(folder: string, message: string, env: NodeJS.ProcessEnv): Promise<string> {
  await git(folder, 'add', '--all');
  const { stdout, stderr } = await run('git', ['-C', folder, 'commit', '--quiet', '--message', message], { env });
  return `${stdout}${stderr}`.trim();
}

async function git(folder: string, ...args: string[]): Promise<void> {
  await run('git', ['-C', folder, ...args]);
}

/** Shortens a day to seconds; throws when the example no longer says what is shortened, so that the demo cannot silently wait a day. */
export function shortened(source: string): string {
  const once = (text: string, from: string, to: string) => {
    if (!text.includes(from)) throw new Error(`examples/car-truck no longer contains ${from}`);
    return text.replace(from, to);
  };
  return once(once(source, "every: '1d'", "every: '5s'"), "  alerts: {", "  retraining: { cooldown: '1s' },\n\n  alerts: {");
}
