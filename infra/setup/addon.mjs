import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiler } from './checks.mjs';
import { mustRun } from './exec.mjs';

const lockFolder = fileURLToPath(new URL('native-npm/', import.meta.url));

/** tfjs-node looks for its addon under the highest Node-API version it knows; Node 20 and later all offer 8. */
const NODE_API = 8;

/**
 * What programs require. Of two functions that tfjs-node 4.22 calls, Node 22 warns and Node 23 has them no more;
 * TensorFlow's start-up notices are silenced unless the caller chose otherwise.
 */
const entry = `'use strict';
const util = require('node:util');
util.isNullOrUndefined = (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
module.exports = require('@tensorflow/tfjs-node');
`;

const smoke = `
const tf = require(process.argv[1]);
const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync();
if (product.join() !== '19,22,43,50') throw new Error('wrong matrix product: ' + product.join());
console.log(tf.version['tfjs-node']);
`;

/** Loads tfjs-node in a process of its own and multiplies two matrices; gives its version. */
export async function tryAddon(entryPath, timeoutMs = 60_000) {
  const { stdout } = await mustRun(`Loading ${entryPath}`, process.execPath, ['-e', smoke, entryPath], { env: { TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' }, timeoutMs });
  return stdout.trim();
}

/** Source maps are two thirds of the packages' files and are never read. */
async function removeSourceMaps(folder) {
  for (const item of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (item.isFile() && item.name.endsWith('.map')) await rm(join(item.parentPath ?? item.path, item.name));
  }
}

/**
 * Installs tfjs-node without its scripts (they download an old TensorFlow) and compiles its addon against the TensorFlow
 * part. The addon uses Node-API only, so the headers come from npm, node-gyp is not needed, and one build serves every Node.
 */
export async function installAddon(_part, folder, tensorflow) {
  for (const file of ['package.json', 'package-lock.json']) await cp(join(lockFolder, file), join(folder, file));
  await mustRun('Installing tfjs-node from the npm registry', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  const home = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  const target = join(home, 'lib', `napi-v${NODE_API}`);
  await mkdir(join(home, 'deps'), { recursive: true });
  await mkdir(target, { recursive: true });
  await symlink(join('..', '..', '..', '..', '..', basename(tensorflow), 'lib'), join(home, 'deps', 'lib'));
  await mustRun("Compiling tfjs-node's addon", compiler(), [
    '-O3', '-std=gnu++17', '-fPIC', '-shared', '-fno-exceptions', '-fno-rtti', '-DNDEBUG', `-DNAPI_VERSION=${NODE_API}`, '-DBUILDING_NODE_EXTENSION',
    `-I${join(folder, 'node_modules', 'node-api-headers', 'include')}`, `-I${join(tensorflow, 'include')}`, '-I..',
    join('binding', 'tfjs_backend.cc'), join('binding', 'tfjs_binding.cc'), `-L${join('deps', 'lib')}`, '-ltensorflow', '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib', '-o', join(target, 'tfjs_binding.node'),
  ], { cwd: home });
  await removeSourceMaps(join(folder, 'node_modules'));
  await writeFile(join(folder, 'index.cjs'), entry);
  await tryAddon(join(folder, 'index.cjs'));
}
