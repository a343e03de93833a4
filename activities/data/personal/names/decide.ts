import type { NameIn } from './recognise.js';

/** How many texts of a column's sample hold a name, and in what way. */
export interface NameCounts { readonly texts: number; readonly whole: number; readonly mentioned: number; readonly single: number }

/** Shares of the texts looked at: docs/definition.md tells how often columns with names, and without, are above them. */
const LEAST_WHOLE = 0.2;
const LEAST_MENTIONED = 0.05;
/** Towns, brands and companies are named for people: of words that stand alone, most have to be names. */
const LEAST_SINGLE = 0.5;
const LEAST_TEXTS = 3;
const LEAST_SINGLE_TEXTS = 10;

export function countNames(found: Iterable<NameIn>): NameCounts {
  const counts = { texts: 0, whole: 0, mentioned: 0, single: 0 };
  for (const name of found) {
    counts.texts += 1;
    if (name) counts[name] += 1;
  }
  return counts;
}

/** What a column of such texts holds, and in how many of them it was found; null where chance explains it. */
export function decideNames({ texts, whole, mentioned, single }: NameCounts): { kind: string; found: number } | null {
  const full = whole + mentioned;
  if (full >= LEAST_TEXTS && (full >= LEAST_WHOLE * texts || mentioned >= LEAST_MENTIONED * texts)) return { kind: 'name of a person', found: full };
  if (single >= LEAST_SINGLE_TEXTS && single >= LEAST_SINGLE * texts) return { kind: 'first or last name of a person', found: single };
  return null;
}
