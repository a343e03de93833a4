import { PerennialError } from '../../contract/errors.js';
import { sqlVariable } from '../../contract/names.js';
import type { Data } from '../../definition/data.js';
import type { Source, SourceOf } from '../../definition/sources.js';
import { describeSource } from '../../domain/sources.js';
import type { ActivityDeps } from '../deps.js';
import type { Findings } from './findings.js';
import { fixedFolder, globToRegExp, openLocation, staysInside } from './location.js';
import type { LocatedFile, OpenLocation } from './location.js';

type FileSource = Exclude<Source, { kind: 'labelled-predictions' | 'sql' | 'generator' }>;
type LabelledSource = SourceOf<'labelled-predictions'>;

/** A source with what was found in it when the build began. `description` names it in reports. */
export type ListedSource =
  | { readonly kind: 'files'; readonly description: string; readonly source: FileSource; readonly uri: string; readonly location: OpenLocation; readonly files: readonly LocatedFile[] }
  | { readonly kind: 'labelled'; readonly description: string; readonly source: LabelledSource; readonly mark: string }
  /** `url` holds a password: it goes nowhere but to the driver. */
  | { readonly kind: 'sql'; readonly description: string; readonly source: SourceOf<'sql'>; readonly url: string }
  | { readonly kind: 'generator'; readonly description: string; readonly source: SourceOf<'generator'> };

/** Looks at every source without reading a row; one that is not there is a finding, and is left out. */
export async function listSources({ deps, model, data, findings }: { deps: ActivityDeps; model: string; data: Data; findings: Findings }): Promise<ListedSource[]> {
  const listed: ListedSource[] = [];
  for (const source of data.sources) {
    if (source.kind === 'labelled-predictions') {
      const mark = await deps.stores.fingerprints.labelledMark({ model, environment: source.environment });
      listed.push({ kind: 'labelled', description: describeSource(source), source, mark });
      continue;
    }
    if (source.kind === 'sql') {
      const named = describeSource(source);
      const url = deps.sqlConnection(source.connection);
      if (url === null) findings.add('missing-source', 'block', `the connection ${source.connection} is not set: ${sqlVariable(source.connection)} in the environment of the compute worker`, named);
      else listed.push({ kind: 'sql', description: named, source, url });
      continue;
    }
    if (source.kind === 'generator') {
      listed.push({ kind: 'generator', description: describeSource(source), source });
      continue;
    }
    const description = describeSource(source);
    const bound = await deps.stores.locations.get(source.location);
    if (!bound) {
      findings.add('missing-source', 'block', `the location ${source.location} is not set: \`perennial location set ${source.location} URI\``, description);
      continue;
    }
    if (!staysInside(source.path)) {
      findings.add('missing-source', 'block', `the path ${source.path} leaves its location ${source.location}`, description);
      continue;
    }
    const location = openLocation(bound.uri, deps.artifacts);
    const files = await listFiles(source, location);
    if (files.length === 0) {
      findings.add('missing-source', 'block', `nothing is there: ${bound.uri}/${source.path}`, description);
      continue;
    }
    listed.push({ kind: 'files', description, source, uri: bound.uri, location, files });
  }
  return listed;
}

async function listFiles(source: FileSource, location: OpenLocation): Promise<LocatedFile[]> {
  if (source.kind === 'image-folder') return await location.list(source.path) ?? [];
  return filesAt(location, source.path);
}

/** Files of a location that a path names; `*`, `?` and `**` are allowed. */
export async function filesAt(location: OpenLocation, path: string): Promise<LocatedFile[]> {
  const pattern = globToRegExp(path);
  return (await location.list(fixedFolder(path)) ?? []).filter(({ name }) => pattern.test(name));
}

/**
 * Whether the files still are those that were listed. Called when they were read: rows of a file that changed meanwhile may be of two contents.
 * @throws PerennialError `data/changed`
 */
export async function requireUnchanged(sources: readonly ListedSource[]): Promise<void> {
  for (const listed of sources) {
    if (listed.kind !== 'files') continue;
    const now = new Map((await listFiles(listed.source, listed.location)).map(({ name, mark }) => [name, mark]));
    const changed = listed.files.find(({ name, mark }) => now.get(name) !== mark);
    if (changed) throw new PerennialError('data/changed', `${listed.description}: ${changed.name} ${now.has(changed.name) ? 'was changed' : 'was removed'} while it was read`, { file: changed.name });
  }
}
