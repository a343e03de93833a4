import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { IMPORT_LIMITS, type ModelFormat } from '../../contract/imported.js';
import { PackagedFile } from '../../contract/package.js';
import { CommandError } from '../errors.js';

export interface LocalFile { readonly path: string; readonly file: string; readonly bytes: number }
export interface LocalModel { readonly format: ModelFormat; readonly files: readonly LocalFile[] }

const refused = (problem: string, next: string) => new CommandError('import/unreadable', problem, next);
const FORMS = 'Give a folder with model.json (a layers or graph model of TensorFlow.js), or one with saved_model.pb (a SavedModel).';

/** What lies at a path: a `model.json` of TensorFlow.js with the files that it names, or the folder of a SavedModel. */
export async function readLocalModel(path: string): Promise<LocalModel> {
  const found = await stat(path).catch(() => null);
  if (!found) throw refused(`${path} is not there`, FORMS);
  const folder = found.isDirectory() ? path : dirname(path);
  const names = await readdir(folder);
  if (names.includes('saved_model.pb') && (found.isDirectory() || basename(path) === 'saved_model.pb')) return limited({ format: 'saved-model', files: await savedModelFiles(folder) });
  if (!names.includes('model.json')) throw refused(`${folder} holds neither model.json nor saved_model.pb`, FORMS);
  return limited(await tfjsModel(folder));
}

async function tfjsModel(folder: string): Promise<LocalModel> {
  let model: { format?: unknown; modelTopology?: unknown; weightsManifest?: unknown };
  try {
    model = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as typeof model;
  } catch (error) {
    throw refused(`${join(folder, 'model.json')} is no JSON (${error instanceof Error ? error.message : String(error)})`, FORMS);
  }
  const { format = 'layers-model', weightsManifest } = model;
  if (format !== 'layers-model' && format !== 'graph-model') throw refused(`model.json has the format ${JSON.stringify(format)}; layers-model and graph-model are known`, FORMS);
  if (!Array.isArray(weightsManifest)) throw refused('model.json has no weightsManifest, which names the files of the weights', 'Save it with TensorFlow.js, or convert it with tensorflowjs_converter.');
  const paths = weightsManifest.flatMap((group: { paths?: unknown }) => (Array.isArray(group.paths) ? group.paths.map(String) : []));
  return { format: format === 'graph-model' ? 'tfjs-graph' : 'tfjs-layers', files: await Promise.all(['model.json', ...new Set(paths)].map((path) => described(folder, path))) };
}

/** `assets.extra` and the like are left: TensorFlow reads none of it. */
async function savedModelFiles(folder: string): Promise<LocalFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return Promise.all(paths.filter((path) => path === 'saved_model.pb' || /^(variables|assets)\//.test(path)).map((path) => described(folder, path)));
}

async function described(folder: string, path: string): Promise<LocalFile> {
  if (!PackagedFile.shape.path.safeParse(path).success || path.split('/').includes('..')) throw refused(`the name ${JSON.stringify(path)} of a file of the model is not taken`, 'Use letters, digits, dots, underscores and hyphens.');
  const found = await stat(join(folder, path)).catch(() => null);
  if (!found?.isFile()) throw refused(`${join(folder, path)} is not there, and model.json names it`, FORMS);
  return { path, file: join(folder, path), bytes: found.size };
}

function limited(model: LocalModel): LocalModel {
  const total = model.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const large = model.files.find(({ bytes }) => bytes > IMPORT_LIMITS.fileBytes);
  const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  if (large) throw refused(`${large.path} has ${megabytes(large.bytes)}; a file may have ${megabytes(IMPORT_LIMITS.fileBytes)}`, 'Save the weights in several shards.');
  if (model.files.length > IMPORT_LIMITS.files || total > IMPORT_LIMITS.bytes) throw refused(`the model has ${model.files.length} files of ${megabytes(total)}; it may have ${IMPORT_LIMITS.files} of ${megabytes(IMPORT_LIMITS.bytes)}`, 'Import a smaller model.');
  return model;
}
