import { z } from 'zod';
import { VersionParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { PackagedFile, PackageManifest } from '../../contract/package.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { readJson } from '../../stores/json-objects.js';
import { findSnapshot, findVersion } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';

const FileQuery = z.strictObject({ path: PackagedFile.shape.path.describe('of a file that the manifest names') });

export const getPackage = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version/package', summary: 'A version\'s package: its manifest, and where its rows came from', access: READERS, params: VersionParams,
  async handle({ params, services: { stores, artifacts } }) {
    const { model, version, status, commit, snapshot: digest, manifest: ref } = await findVersion(stores, params.model, params.version);
    const [manifest, snapshot] = await Promise.all([readJson(artifacts, ref), findSnapshot(stores, digest)]);
    const { sources } = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
    return { model, version, status, commit, snapshot: digest, manifest: PackageManifest.parse(manifest), sources: sources.map(({ description, terms }) => ({ description, ...(terms === undefined ? {} : { terms }) })) };
  },
});

/** Reads the file from S3; its bytes are checked against their digest on the way. */
export const getPackageFile = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version/package/file', summary: 'A file of a version\'s package', access: READERS, params: VersionParams, query: FileQuery,
  async handle({ params: { model, version }, query: { path }, services: { stores, artifacts, files: wholeFiles } }) {
    const { manifest: ref } = await findVersion(stores, model, version);
    const { content: { files } } = PackageManifest.parse(await readJson(artifacts, ref));
    const file = files.find((one) => one.path === path);
    if (!file) throw new PerennialError('request/invalid', `path: the package of ${model}@${version} has no file ${path}. It has: ${files.map((one) => one.path).join(', ')}`);
    const bytes = await wholeFiles.get({ uri: `${ref.uri.slice(0, ref.uri.lastIndexOf('/'))}/${path}`, sha256: file.sha256, bytes: file.bytes });
    return new Answer(200, Buffer.from(bytes), { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-store' });
  },
});
