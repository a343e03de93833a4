import { ModelParams, RunParams, VersionParams } from '../../contract/api/requests.js';
import { ProfileSummary } from '../../contract/data-profile.js';
import { PerennialError } from '../../contract/errors.js';
import { readJson } from '../../stores/json-objects.js';
import type { Snapshot } from '../../stores/snapshots.js';
import { findModel, findRun, findVersion } from '../find.js';
import { parseReportFile, reportAnswer, ReportParams } from '../http/report.js';
import { defineRoute, READERS } from '../http/route.js';
import type { Services } from '../services.js';

export const getModelProfile = defineRoute({
  method: 'GET', path: '/models/:model/profile', summary: 'The profile of a model\'s newest snapshot', access: READERS, params: ModelParams,
  async handle({ params, services }) {
    const { name } = await findModel(services.stores, params.model);
    const [newest] = await services.stores.snapshots.listFor(name, 1);
    return profileOf(services, newest ?? null, `${name} has no snapshot yet`);
  },
});

export const getVersionProfile = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version/profile', summary: 'The profile of the rows that a version was trained and judged on', access: READERS, params: VersionParams,
  async handle({ params, services }) {
    const { model, version, snapshot } = await findVersion(services.stores, params.model, params.version);
    return profileOf(services, await services.stores.snapshots.get(snapshot), `the snapshot of ${model}@${version} is not there`);
  },
});

export const getRunProfile = defineRoute({
  method: 'GET', path: '/runs/:run/profile', summary: 'The profile of a run\'s snapshot', access: READERS, params: RunParams,
  async handle({ params, services }) {
    const run = await findRun(services.stores, params.run);
    return profileOf(services, run.snapshot === null ? null : await services.stores.snapshots.get(run.snapshot), `${run.id} has no snapshot: it is at the step ${run.step}, ${run.status}`);
  },
});

/** Reads a profile's file from S3; its bytes are checked against their digest on the way. */
export const getProfileFile = defineRoute({
  method: 'GET', path: '/profiles/:file', summary: 'The profile of a snapshot, DIGEST.html or DIGEST.json; a browser may send the token as the password of Basic authentication', access: READERS, basic: true,
  params: ReportParams,
  async handle({ params: { file }, services: { stores, artifacts } }) {
    const { digest, extension } = parseReportFile(file);
    const refs = (await stores.snapshots.get(digest))?.profile;
    if (!refs) throw new PerennialError('data/missing', `there is no profile of a snapshot ${digest}`, { digest });
    return reportAnswer(await artifacts.get(refs[extension]), extension);
  },
});

async function profileOf({ artifacts }: Services, snapshot: Snapshot | null, otherwise: string) {
  if (!snapshot) throw new PerennialError('data/missing', otherwise);
  if (!snapshot.profile) throw new PerennialError('data/missing', `snapshot ${snapshot.digest} was made before snapshots had profiles; the next build of the same rows makes one`, { digest: snapshot.digest });
  const profile = ProfileSummary.parse(await readJson(artifacts, snapshot.profile.json));
  return { model: snapshot.model, snapshot: snapshot.digest, createdAt: snapshot.createdAt, profile, html: `/api/v1/profiles/${snapshot.digest}.html` };
}
