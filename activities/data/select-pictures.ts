import { canonicalJson } from '../../domain/canonical.js';
import type { Images, PictureRow } from './picture-rows.js';
import type { Findings } from './findings.js';
import { compareKeys } from './order.js';

/** Where copies of one picture lie in several splits, the one for judging stays. */
const STAYS_FIRST = { test: 0, validation: 1, train: 2 } as const;

/**
 * The rows to keep: a key is one row, a picture has one class, and none of the training rows is also a test row. What is left out
 * is reported as the definition's checks say. Gives the same rows whatever the order they come in, but for a key that comes again
 * with the same picture: its last row counts.
 */
export function selectPictures(rows: readonly PictureRow[], checks: Images['checks'], findings: Findings): PictureRow[] {
  const sorted = [...lastOfEachKey(rows)].sort((a, b) => compareKeys(a.key, b.key) || (a.source - b.source));
  const copies = new Map<string, PictureRow[]>();
  for (const row of sorted) {
    const known = copies.get(row.digest);
    if (known) known.push(row);
    else copies.set(row.digest, [row]);
  }
  const kept: PictureRow[] = [];
  const keys = new Set<string>();
  for (const group of [...copies.values()]) {
    for (const row of chooseAmong(group, checks, findings)) {
      if (keys.has(row.key)) {
        findings.add('duplicate', checks.duplicates, 'one key names several rows; the first is kept', row.key);
        continue;
      }
      keys.add(row.key);
      kept.push(row);
    }
  }
  return kept.sort((a, b) => compareKeys(a.key, b.key));
}

/** The same prediction input asked twice is no finding: its newest row is the row. Labels that differ stay, to be found as a conflict. */
function lastOfEachKey(rows: readonly PictureRow[]): Iterable<PictureRow> {
  const last = new Map<string, PictureRow>();
  for (const row of rows) last.set(canonicalJson([row.key, row.digest, row.label, row.source]), row);
  return last.values();
}

/** @param group rows of the same pixels, by key */
function chooseAmong(group: readonly PictureRow[], checks: Images['checks'], findings: Findings): readonly PictureRow[] {
  if (group.length === 1) return group;
  const labels = new Set(group.map(({ label }) => label));
  if (labels.size > 1) {
    findings.add('conflicting-label', checks.conflictingLabels, 'the same picture under two classes', group.map(({ key, label }) => `${key} (${label})`).join(' = '), group.length);
    return checks.conflictingLabels === 'warn' ? group : [];
  }
  const splits = new Set(group.map(({ split }) => split));
  const [stays, ...others] = [...group].sort((a, b) => STAYS_FIRST[a.split] - STAYS_FIRST[b.split]);
  if (!stays) return [];
  for (const row of others) {
    const message = row.split === stays.split ? `the same picture again in ${row.split}` : `a picture of ${stays.split} is also in ${row.split}; the one in ${row.split} is left out`;
    findings.add('duplicate', checks.duplicates, message, `${row.key} = ${stays.key}`);
  }
  if (checks.duplicates !== 'warn') return [stays];
  // Even where copies are allowed, a row that judges must not have been trained on.
  return splits.size > 1 ? group.filter(({ split }) => split === stays.split) : group;
}
