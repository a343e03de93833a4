import { z } from 'zod';
import { Duration, Label, ModelName } from '../../definition/common.js';
import { ViewName } from '../../definition/feature-view.js';
import { KeyScope } from '../api-key.js';
import { ExperimentPlan } from '../experiment.js';
import { IMPORT_LIMITS, ModelFormat } from '../imported.js';
import { PackagedFile } from '../package.js';
import { Role, Scope } from '../policy.js';
import { Commit, Instant, VersionName } from '../ref.js';

/** Request bodies and parameters of the gateway, shared with the command line. */

export { Duration, Label, ModelName };

export const RepositoryName = Label.describe('name under which a repository is registered');
export const PrincipalId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/, 'letters, digits, dot, underscore, @, + or hyphen, at most 128');
export const RunId = z.string().regex(/^[a-z][a-z0-9-]{0,62}-r[1-9]\d{0,8}$/, 'a run is written model-rNUMBER, for example car-truck-r1');
export const JobId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'letters, digits, dot, underscore or hyphen');
export const Branch = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$/, 'a branch name, for example main').refine((name) => !name.includes('..') && !name.endsWith('.lock'), 'not a branch name that git accepts');
export const VersionNumber = z.int().min(1).max(999_999_999);
const Reason = z.string().trim().min(1, 'say why').max(2000);
/** Given by the caller so that sending the same request again does it once. */
const RequestId = z.string().regex(/^[A-Za-z0-9._-]{8,128}$/, '8 to 128 letters, digits, dots, underscores or hyphens').optional();

/** What git can fetch without running anything: https, ssh, file, or an absolute path; no password inside. */
export const GitUrl = z.string().max(2000)
  .refine((url) => /^(https?:\/\/|ssh:\/\/|file:\/\/\/|\/)[^\s-]/.test(url) || /^[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s]/.test(url), 'an https, ssh or file address, git@host:path, or an absolute path')
  .refine((url) => !/^[a-z]+:\/\/[^/@]*:[^/@]*@/.test(url), 'no password inside the address: use ssh with a key');

export const RepositoryBody = z.strictObject({
  name: RepositoryName, url: GitUrl, branches: z.array(Branch).min(1).max(20).default(['main']),
  pollSeconds: z.union([z.literal(0), z.int().min(5).max(86_400)]).default(60).describe('how often the branches are looked at; 0: only hooks'),
});
export type RepositoryBody = z.input<typeof RepositoryBody>;

export const LocalHookBody = z.strictObject({ repository: RepositoryName, commit: Commit, branch: Branch });
export type LocalHookBody = z.infer<typeof LocalHookBody>;

export const RetrainBody = z.strictObject({ reason: Reason.default('requested'), force: z.boolean().default(false), id: RequestId });
export const ImportBody = z.strictObject({
  format: ModelFormat, reason: Reason.default('imported'), id: RequestId,
  files: z.array(PackagedFile).min(1).max(IMPORT_LIMITS.files).describe('by their path in the network\'s folder; each was uploaded before')
    .refine((files) => files.reduce((sum, { bytes }) => sum + bytes, 0) <= IMPORT_LIMITS.bytes, `${IMPORT_LIMITS.bytes} bytes together at most`)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length && files.every(({ path }) => !path.split('/').includes('..')), 'paths below one folder, each once'),
});
export const ReleaseBody = z.strictObject({ version: VersionNumber, force: z.boolean().default(false), id: RequestId });
export const RollbackBody = z.strictObject({
  environment: Label.default('production'), reason: Reason, to: VersionNumber.nullable().default(null), id: RequestId,
  breakGlass: z.boolean().default(false).describe('write the route at once, past the workflow: for when no worker is up; done anyway when Temporal is away'),
});
export const ResumeBody = z.strictObject({ environment: Label.default('production'), reason: Reason, version: VersionNumber.nullable().default(null), id: RequestId });
export const PauseBody = z.strictObject({ environment: Label.default('production'), reason: Reason, id: RequestId });
export const CancelBody = z.strictObject({ reason: Reason, id: RequestId });

export const PrincipalBody = z.strictObject({ id: PrincipalId, kind: z.enum(['person', 'machine']), displayName: z.string().min(1).max(200), email: z.email().nullable().default(null), publicKey: z.base64().length(44).nullable().default(null) });
export const RoleBody = z.strictObject({ role: Role, environment: Label.nullable().default(null) });
export const TokenBody = z.strictObject({ scopes: z.array(Scope).min(1).default(['api']), name: z.string().min(1).max(200) });
export const KeyBody = z.strictObject({
  name: Label.describe('by which people know the key'), environment: Label.default('production'), models: z.array(ModelName).min(1).max(100), scopes: z.array(KeyScope).min(1).max(2).default(['predict']),
  ratePerSecond: z.number().positive().max(1e9).nullable().default(null).describe('predictions a second; null: as many as come'),
  daily: z.int().positive().nullable().default(null).describe('predictions a day (UTC); null: as many as come'),
  expiresAt: Instant.nullable().default(null),
});
export const RotateKeyBody = z.strictObject({ overlap: Duration.default('24h').describe('for how long the secret before is good beside the new one') });
export const KeyParams = z.strictObject({ name: Label });
export const PublicKeyBody = z.strictObject({ publicKey: z.base64().length(44, 'the 32 bytes of an Ed25519 public key in base64') });

export const LocationBody = z.strictObject({ uri: z.string().max(2000).regex(/^(\/|file:\/\/\/|s3:\/\/)\S+$/, 'an absolute folder, file:///… or s3://bucket/prefix') });
export const CheckBody = z.strictObject({ environment: Label.default('production'), id: RequestId });

export const ScoreBody = z.strictObject({
  input: z.string().max(2000).regex(/^(\/|file:\/\/\/|s3:\/\/)\S+$/, 'an absolute file, file:///… or s3://bucket/key').describe('Parquet, CSV or JSON lines with the columns of the model\'s signature'),
  environment: Label.default('production'), version: VersionNumber.optional(), id: RequestId,
});

export const ReproduceBody = z.strictObject({ tolerance: z.number().min(0).max(1).nullable().default(null).describe('largest difference of two weights that counts as the same; null: none where one thread trained it, else 0.001'), id: RequestId });

export const EraseBody = z.strictObject({ key: z.string().min(1).max(2000).describe('the row\'s key, or a prediction\'s id; it is not kept'), columns: z.array(Label).max(20).default([]).describe('further columns of inputs, and attributes, in which predictions have the key'), reason: Reason, id: RequestId });
export const ExperimentBody = z.strictObject({
  commit: Commit.optional().describe('of the model\'s repository; it need not be on a registered branch'), branch: Branch.default('main').describe('where no commit is given: its newest'),
  plan: ExperimentPlan.prefault({}), id: RequestId,
});
export const ExperimentParams = z.strictObject({ experiment: JobId });

export const FreezeBody = z.strictObject({
  name: Label.describe('by which definitions refer to the rows'), reason: Reason,
  version: VersionNumber.optional().describe('the test rows of this version\'s snapshot'),
  snapshot: z.string().regex(/^[0-9a-f]{8,64}$/, 'a snapshot\'s digest, or its first 8 digits or more').optional().describe('of this snapshot; neither given: of the newest'),
}).refine(({ version, snapshot }) => version === undefined || snapshot === undefined, 'a version or a snapshot, not both');

export const MaterialiseBody = z.strictObject({ full: z.boolean().default(false).describe('read everything again, not only what may be new'), id: RequestId });

export const ViewParams = z.strictObject({ view: ViewName });
export const ModelParams = z.strictObject({ model: ModelName });
export const LoggedParams = z.strictObject({ model: ModelName, id: z.string().min(1).max(128).describe('of a prediction, or of a request') });
export const FrozenParams = z.strictObject({ model: ModelName, name: Label });
export const VersionParams = z.strictObject({ model: ModelName, version: z.coerce.number().pipe(VersionNumber) });
export const SnapshotParams = z.strictObject({ snapshot: z.string().regex(/^[0-9a-f]{8,64}$/, 'a snapshot\'s digest, or its first 8 digits or more') });
export const LineageQuery = z.strictObject({ depth: z.coerce.number().pipe(z.int().min(1).max(100)).default(1).describe('how many versions away it goes') });
export const RunParams = z.strictObject({ run: RunId });
export const CompareQuery = z.strictObject({
  of: z.string().transform((text) => text.split(',')).pipe(z.array(z.union([RunId, VersionName])).min(2, 'two or more runs or versions').max(8)).describe('runs and versions, with commas between them: car-truck@1,car-truck-r3'),
});
export const ServedAtQuery = z.strictObject({ time: Instant.describe('ISO 8601 with an offset, for example 2026-11-21T09:00:00+01:00'), environment: Label.default('production') });
