import type { Answer } from '../../domain/outputs.js';
import { answersOf } from '../../domain/outputs.js';
import type { OnProblem } from '../problem.js';
import type { Rows } from '../protocol/rows.js';
import type { ServedArm } from '../routing/model-host.js';
import { selectRows } from './select-rows.js';

/** What the version before says of some rows, by their places: of none where it is not loaded, or cannot answer. `deadlineMs`: what is left of the request's own. */
export async function previousAnswers(previous: ServedArm | null, rows: Rows, places: readonly number[], deadlineMs: number | undefined, onProblem: OnProblem): Promise<ReadonlyMap<number, Answer>> {
  if (!previous || places.length === 0) return new Map();
  try {
    const answers = answersOf(previous.served.signature, await previous.served.predict(selectRows(rows, places), { deadlineMs }));
    return new Map(places.flatMap((place, at) => { const answer = answers[at]; return answer ? [[place, answer] as const] : []; }));
  } catch (error) {
    // The definition says what is done then, and it is counted.
    onProblem(`version ${previous.arm.version} could not answer instead of a newer one`, error);
    return new Map();
  }
}
