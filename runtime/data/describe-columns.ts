import type { LocalSnapshot } from '../../contract/frames.js';
import type { TrainingColumn } from '../../contract/profile.js';
import { typedColumns } from '../../definition/columns.js';
import { featuresOf } from '../../definition/features.js';
import type { Feature } from '../../definition/features.js';
import { openTrainingRows, quoted } from './training-rows.js';

/** A column with more categories, or with longer ones in all, is described without them: a server would hold them for every version. */
const MOST_CATEGORIES = 10_000;
const MOST_CHARACTERS = 1_000_000;

/** Which values the training rows of a table missed, and all the categories that they had: an input that has none of these is one that the network never learned from. `share`: as {@link openTrainingRows} takes it. */
export async function describeColumns(snapshot: LocalSnapshot, declared: readonly Feature[] | undefined, share: number): Promise<TrainingColumn[]> {
  const columns = typedColumns(snapshot.manifest.content.columns ?? []);
  const categorical = new Set(featuresOf(columns, declared).flatMap((feature) => (feature.kind === 'category' ? [feature.column] : [])));
  const { connection, close } = await openTrainingRows(snapshot, share);
  const query = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows();
  try {
    const [missing = []] = await query(`select ${columns.map(({ name }) => `(count(*) - count(${quoted(name)}))::double`).join(', ')} from rows`);
    const described: TrainingColumn[] = [];
    for (const [index, { name }] of columns.entries()) {
      const found = categorical.has(name) ? (await query(`select distinct ${quoted(name)} from rows where ${quoted(name)} is not null limit ${MOST_CATEGORIES + 1}`)).map(([value]) => String(value)) : null;
      const isKept = found !== null && found.length <= MOST_CATEGORIES && found.reduce((sum, { length }) => sum + length, 0) <= MOST_CHARACTERS;
      described.push({ name, missing: Number(missing[index] ?? 0), ...(isKept ? { categories: [...new Set(found)].sort() } : {}) });
    }
    return described;
  } finally {
    close();
  }
}
