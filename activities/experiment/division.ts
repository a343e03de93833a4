import type { SnapshotManifest } from '../../contract/snapshot.js';
import { typedColumns } from '../../definition/columns.js';
import type { Data } from '../../definition/data.js';
import { columnOfSplit } from '../../definition/splits.js';
import type { ExperimentPlan } from '../../contract/experiment.js';
import type { HeldOut } from './held-out.js';

/** Of the training rows, where there are no validation rows: one fold in so many is held out. */
const HELD_OUT = 5;

/** By what rows are kept together in folds: a column, or (null) each row by its key; or why they cannot be divided. */
type Division = { readonly group: string | null } | { readonly problem: string };

/**
 * How rows that may be trained on are divided into folds without one side telling of the other: by group where the definition
 * divides by group. Rows that it divides by time cannot be: their folds would train on what came after the rows that they are judged on.
 */
function divisionOf(data: Data): Division {
  const rules = data.sources.flatMap(({ split }, index) => (typeof split === 'string' || 'byKey' in split ? [] : [{ split, at: `data.sources.${index}.split` }]));
  const timed = rules.find(({ split }) => 'byTime' in split);
  if (timed) return { problem: `${timed.at}: rows that are divided by time have no folds, which would train on what came after; leave out the folds and give validationFrom (or a share of validation)` };
  const [group = null, ...others] = new Set(rules.map(({ split }) => columnOfSplit(split)));
  if (others.length > 0) return { problem: `data.sources: rows are divided by ${group} and by ${others.join(', ')}, and folds keep together the rows of one group only; declare validation rows and leave out the folds` };
  const kept = data.kind === 'table' && typedColumns(data.columns).some(({ name }) => name === group);
  if (group !== null && !kept) return { problem: `${rules[0]?.at ?? 'data.sources'}: a snapshot does not keep ${group}, which is no input column, so that folds would tear its groups apart; declare validation rows and leave out the folds` };
  return { group };
}

/** The rows a plan's trials are judged on, or what is wrong with dividing them. */
export function heldOutOf({ folds, seed }: Pick<ExperimentPlan, 'folds' | 'seed'>, fold: number | null, data: Data, { counts: { bySplit } }: Pick<SnapshotManifest, 'counts'>): { readonly heldOut: HeldOut } | { readonly problem: string } {
  const [train, validation] = [bySplit['train'] ?? 0, bySplit['validation'] ?? 0];
  if (folds === null && validation > 0) return train > 0 ? { heldOut: { kind: 'validation' } } : { problem: 'the snapshot has no training rows' };
  const division = divisionOf(data);
  if ('problem' in division) return division;
  const of = folds ?? HELD_OUT;
  if (train + validation < of) return { problem: `folds: ${of} of ${train + validation} rows (test rows are in none); ask for fewer` };
  return { heldOut: { kind: 'fold', fold: fold ?? 0, folds: of, seed, group: division.group } };
}
