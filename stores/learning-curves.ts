import { z } from 'zod';
import { EpochFigures } from '../contract/frames.js';
import type { Database } from './database.js';
import { At, json, parseFirst } from './values.js';

/** What a training said of each of its epochs. `subject` is a run's id, or `reproduction/<id>`, or `experiment/<id>`. */
export const LearningCurve = z.object({ subject: z.string(), epochs: z.array(EpochFigures), parameters: z.int(), savedAt: At });
export type LearningCurve = z.infer<typeof LearningCurve>;

export function createLearningCurvesStore(db: Database) {
  return {
    /** The newest counts: a training that was forced again has another curve. */
    async save({ subject, epochs, parameters }: { subject: string; epochs: readonly EpochFigures[]; parameters: number }): Promise<void> {
      await db.query(
        `insert into learning_curves (subject, epochs, parameters) values ($1, $2, $3)
         on conflict (subject) do update set epochs = excluded.epochs, parameters = excluded.parameters, saved_at = now()`,
        [subject, json(epochs), parameters]);
    },

    async get(subject: string): Promise<LearningCurve | null> {
      return parseFirst(LearningCurve, await db.query('select subject, epochs, parameters, saved_at as "savedAt" from learning_curves where subject = $1', [subject]));
    },
  };
}
export type LearningCurvesStore = ReturnType<typeof createLearningCurvesStore>;
