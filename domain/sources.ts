import type { Source } from '../definition/sources.js';

const LABELLED = 'labelled predictions of ';

/** A source's name in reports and manifests. */
export function describeSource(source: Source): string {
  if (source.kind === 'sql') return `sql ${source.connection}`;
  if (source.kind === 'generator') return `generator ${source.export}()`;
  if (source.kind !== 'labelled-predictions') return `${source.kind} ${source.location}/${source.path}`;
  const filter = Object.entries(source.attributes).map(([name, value]) => `${name}=${value}`).join(', ');
  return `${LABELLED}${source.environment}${filter ? ` with ${filter}` : ''}`;
}

/** The environment whose labelled predictions a source of this name reads; null where it reads something else. */
export function labelledEnvironment(description: string): string | null {
  return description.startsWith(LABELLED) ? description.slice(LABELLED.length).split(' ')[0] ?? null : null;
}
