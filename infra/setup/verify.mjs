import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tryAddon } from './addon.mjs';
import { partFolder } from './cache.mjs';
import { SetupError } from './errors.mjs';
import { capture } from './exec.mjs';

const TIME_MS = 20_000;
const PNG = '89504e470d0a1a0a';
const CIFAR10_LABELS = { 'train_lables.json': 50_000, 'test_lables.json': 10_000 };

/** Runs a program that must print what `pattern` finds; gives the first group. */
async function printed(path, args, pattern) {
  const { code, stdout, stderr } = await capture(path, args, { timeoutMs: TIME_MS });
  const found = pattern.exec(`${stdout}\n${stderr}`);
  if (!found) throw new SetupError(`${path} does not run (exit code ${code})`);
  return found[1] ?? '';
}

async function cifar10(folder, part) {
  for (const file of part.files.filter((name) => name.endsWith('.png'))) {
    const sheet = await open(join(folder, file));
    const { buffer } = await sheet.read(Buffer.alloc(8), 0, 8, 0);
    await sheet.close();
    if (buffer.toString('hex') !== PNG) throw new SetupError(`${join(folder, file)} is not a picture`);
  }
  for (const [file, count] of Object.entries(CIFAR10_LABELS)) {
    if (JSON.parse(await readFile(join(folder, file), 'utf8')).length !== count) throw new SetupError(`${join(folder, file)} does not hold ${count} labels`);
  }
  return '60,000 labels';
}

/** For each part: proof that it runs, in a word or two. */
const proofs = {
  tensorflow: async () => 'used by tfjs-node',
  tfjsNode: (folder) => tryAddon(join(folder, 'index.cjs'), TIME_MS),
  cifar10,
  weed: (folder) => printed(join(folder, 'bin', 'weed'), ['version'], /version (?:\S+ )?(\d+\.\d+)/),
  temporal: (folder) => printed(join(folder, 'bin', 'temporal'), ['--version'], /temporal version (\S+)/),
  temporalTestServer: (folder) => printed(join(folder, 'bin', 'temporal-test-server'), [], /(time-skipping)/),
  postgres: (folder) => printed(join(folder, 'native', 'bin', 'postgres'), ['--version'], /PostgreSQL\) (\S+)/),
};

/** Tries a complete part; gives what it answered. @throws {SetupError} where it does not run */
export function verifyPart(part, root) {
  return proofs[part.id](partFolder(part, root), part);
}
