import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import { EvaluationReport } from '../../contract/evaluation.js';
import { canonicalJson } from '../../domain/canonical.js';
import { digestOf, sha256Hex } from '../../domain/digest.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { requireDefinition, requireRun } from '../lookup.js';
import type { Packed } from '../register/index.js';
import type { Candidate } from '../train/candidate.js';
import { fetchCandidate } from '../train/fetch-candidate.js';
import { hyperparametersOf } from './hyperparameters.js';
import { modelCard } from './model-card.js';

const bytes = (text: string) => new TextEncoder().encode(text);
export type PackageActivities = ReturnType<typeof createPackageActivities>;

/** Packs all that serves or reproduces a version. The digest is over content without times, so a second try packs the same package; the manifest goes last. */
export function createPackageActivities(deps: ActivityDeps) {
  const { stores, artifacts, scratch } = deps;
  return {
    packageCandidate: ({ model, run: id, snapshot: digest, candidate, golden }: { model: string; run: string; snapshot: string; candidate: Candidate; golden: Ref }): Promise<Packed> => heartbeating(() => withWorkspace(scratch, 'packaging', async (directory) => {
      const run = await requireRun(stores, id);
      const { imported } = run.reason;
      const { definition, bundle } = await requireDefinition(stores, model, run.commit);
      const evaluation = EvaluationReport.parse((await stores.evaluations.get(id, 'offline'))?.report);
      const compression = (await stores.evaluations.get(id, 'compression'))?.report;
      await fetchCandidate(artifacts, candidate, directory);

      const contents: [string, Uint8Array][] = [
        ...await Promise.all(candidate.files.map(async ({ path }): Promise<[string, Uint8Array]> => [path, await readFile(join(directory, path))])),
        ['code/bundle.mjs', await artifacts.get(bundle)],
        ['golden.json', await artifacts.get(golden)],
        ['evaluation.json', bytes(canonicalJson(evaluation))],
        ['card.md', bytes(modelCard({ definition, imported, compression, commit: run.commit, snapshot: digest, evaluation }))],
      ];
      const files = contents.map(([path, content]) => ({ path, sha256: sha256Hex(content), bytes: content.byteLength })).sort((a, b) => (a.path < b.path ? -1 : 1));
      const content: PackageManifest['content'] = {
        model, commit: run.commit, trainingDigest: run.trainingDigest, snapshot: digest,
        hyperparameters: hyperparametersOf(definition, run.reason, compression),
        files,
      };
      const packageDigest = digestOf(content);
      const manifest: PackageManifest = { v: 1, digest: packageDigest, content };
      let environment: Packed['environment'] | undefined;
      for (const [path, body] of contents) {
        const ref = await artifacts.putAt(`packages/${packageDigest}/${path}`, body, { contentType: contentType(path) });
        if (path === 'environment.json') environment = ref;
      }
      if (!environment) throw new Error('the training gave no environment.json');
      const ref = await artifacts.putAt(`packages/${packageDigest}/manifest.json`, bytes(canonicalJson(manifest)), { contentType: 'application/json' });
      return { digest: packageDigest, manifest: ref, environment };
    })),
  };
}

function contentType(path: string): string {
  if (path.endsWith('.json')) return 'application/json';
  if (path.endsWith('.md')) return 'text/markdown; charset=utf-8';
  return 'application/octet-stream';
}
