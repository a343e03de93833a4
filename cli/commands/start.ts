import { spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ModelName } from '../../contract/api/requests.js';
import { packageRoot } from '../../infra/stack/package-root.js';
import { CommandError, UsageError } from '../errors.js';
import type { Register } from '../register.js';
import { starterFiles } from '../templates.js';

export const addStartCommands: Register = (add, program) => {
  add<[string | undefined], { kind: string; name?: string }>(program, 'init [dir]', 'write a starter repository', (command) => command.option('--kind <kind>', 'images or table', 'images').option('--name <model>', 'the model\'s name (the folder\'s unless given)'),
    async (context, { kind, name }, dir = '.') => {
      if (kind !== 'images' && kind !== 'table') throw new UsageError('--kind: images or table');
      const folder = resolve(context.io.cwd, dir);
      const model = ModelName.safeParse(name ?? basename(folder));
      if (!model.success) throw new UsageError(`--name: ${model.error.issues[0]?.message ?? 'not a model name'}, found "${name ?? basename(folder)}"`);
      const files = await starterFiles(model.data, kind);
      const there = (await Promise.all(Object.keys(files).map(async (file) => ((await exists(join(folder, file))) ? file : null)))).filter((file) => file !== null);
      if (there.length > 0) throw new CommandError('init/not-empty', `${folder} already holds ${there.join(', ')}: nothing was written`, 'Choose another folder.');
      await mkdir(folder, { recursive: true });
      for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text, { flag: 'wx' });
      context.answer({ folder, model: model.data, kind, files: Object.keys(files) }, () => [`wrote ${Object.keys(files).join(', ')} to ${folder}`, 'next: describe your data and network in the definition, then', `  perennial location set ${kind === 'images' ? 'pictures' : 'rows'} FOLDER`, `  perennial try ${dir}`, '  git init, git add, git commit', `  perennial repository add ${model.data} ${dir}`].join('\n'));
      return 0;
    });

  add<[string | undefined], { rows: string; epochs: string; location?: string[] }>(program, 'try [dir]', 'read the definition of the working tree and train it on a sample; nothing is registered',
    (command) => command.option('--rows <n>', 'at most so many rows of each split', '1000').option('--epochs <n>', 'epochs', '1').option('--location <name=uri...>', 'where data is, where the gateway is not asked'),
    async (context, { rows, epochs, location = [] }, dir = '.') => {
      for (const [name, text] of [['rows', rows], ['epochs', epochs]] as const) if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--${name}: a whole number from 1 on, found "${text}"`);
      const unpaired = location.find((one) => one.indexOf('=') < 1);
      if (unpaired !== undefined) throw new UsageError(`--location: name=uri, found "${unpaired}"`);
      const entry = join(packageRoot(), 'dist', 'workers', 'try.js');
      const args = ['--enable-source-maps', entry, '--dir', resolve(context.io.cwd, dir), '--rows', rows, '--epochs', epochs, ...location.flatMap((one) => ['--location', one]), ...(context.json ? ['--json'] : [])];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...context.io.env, PERENNIAL_HOME: context.config.home, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }, cwd: context.io.cwd });
      return new Promise<number>((settle, fail) => {
        child.once('error', fail);
        child.once('exit', (code) => { settle(code ?? 1); });
      });
    });
};

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false; // what cannot be reached cannot be overwritten: the write that follows tells more
  }
}
