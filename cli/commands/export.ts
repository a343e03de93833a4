import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { PackageManifest } from '../../contract/package.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import type { Register } from '../register.js';

const FORMS = ['npm'] as const;
const Package = z.object({ model: z.string(), version: z.int(), status: z.string(), commit: z.string(), snapshot: z.string(), manifest: PackageManifest, sources: z.array(z.object({ description: z.string(), terms: z.string().optional() })) });
type Package = z.infer<typeof Package>;

/** Statuses of versions that somebody decided against. */
const REFUSED = ['rejected', 'quarantined'];

export const addExportCommand: Register = (add, program) => {
  add<[string], { as: string; name?: string; out?: string }>(program, 'export <version>', 'make a package of a version that applications hold in themselves (car-truck@3)',
    (command) => command.requiredOption('--as <form>', `what to make: ${FORMS.join(', ')}`).option('--name <name>', 'of the npm package (the model\'s unless given)').option('--out <folder>', 'the folder to make (./MODEL-VERSION unless given)'),
    async (context, { as, name: given, out }, named) => {
      const parsed = VersionName.safeParse(named);
      if (!parsed.success) throw new UsageError(`"${named}": ${parsed.error.issues[0]?.message ?? 'not a version'}`);
      if (!FORMS.some((form) => form === as)) throw new UsageError(`--as: one of ${FORMS.join(', ')}, found "${as}"`);
      const { exportNpmPackage, PACKAGE_NAME } = await import('../../runtime/export/npm-package.js'); // a bundler, which no other command needs
      const { model, version } = parseVersionName(named);
      const name = given ?? model;
      if (!PACKAGE_NAME.test(name)) throw new UsageError(`--name: "${name}" is no name of an npm package`);
      const into = resolve(context.io.cwd, out ?? `${model}-${version}`);
      await refuseForeign(into);
      const found = await context.api.get(Package, `/models/${model}/versions/${version}/package`);
      if (REFUSED.includes(found.status)) throw new CommandError('export/unsupported', `${named} is ${found.status}`, found.status === 'quarantined' ? `Lift it with \`perennial resume ${named}\`, when it is safe.` : 'Export another version.');
      const packageDirectory = await mkdtemp(join(tmpdir(), 'perennial-export-'));
      try {
        await download(context, found, packageDirectory);
        const { manifest, ...rest } = found;
        const { files } = await exportNpmPackage({ packageDirectory, name, into, origin: { ...rest, digest: manifest.digest } });
        context.answer({ name, version: `${version}.0.0`, folder: into, digest: manifest.digest, files }, () => `${named} is in ${relative(context.io.cwd, into) || '.'}: npm install ${into} @tensorflow/tfjs`);
      } finally {
        await rm(packageDirectory, { recursive: true, force: true });
      }
      return 0;
    });
};

/** Only what an export made before is replaced. */
async function refuseForeign(folder: string): Promise<void> {
  if (!(await stat(folder).catch(() => null))) return;
  const mark = await readFile(join(folder, 'perennial.json'), 'utf8').catch(() => null);
  if (mark === null) throw new CommandError('request/invalid', `${folder} is there already, and is no exported model`, 'Choose another folder with --out.');
}

async function download({ api, note }: Pick<Context, 'api' | 'note'>, { model, version, manifest }: Package, directory: string): Promise<void> {
  for (const { path, bytes } of manifest.content.files) {
    if (bytes > 10_000_000) note(`fetching ${path} (${Math.round(bytes / 1e6)} MB)`);
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), await api.bytes(`/models/${model}/versions/${version}/package/file?path=${encodeURIComponent(path)}`));
  }
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
}
