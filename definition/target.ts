import { z } from 'zod';
import { Label } from './common.js';

/** What a class is predicted of: one of a list. `task` may be left out. */
export const ClassTarget = z.strictObject({ task: z.literal('classification').optional(), name: Label.default('label'), classes: z.array(Label).min(2).max(1000) });
export type ClassTarget = z.infer<typeof ClassTarget>;

/** A number is predicted: the target is a column of finite numbers. */
export const NumberTarget = z.strictObject({
  task: z.literal('regression'), name: Label.default('label'),
  /** How the network sees the target while it trains; predictions are always in the target's own unit. */
  scale: z.enum(['standard', 'none']).default('standard'),
});
export type NumberTarget = z.infer<typeof NumberTarget>;

/** What a model predicts; a target without a task (every one of before there were several) has classes. */
export const Target = z.discriminatedUnion('task', [ClassTarget, NumberTarget]);
export type Target = z.infer<typeof Target>;

export const TASKS = ['classification', 'regression'] as const;
export type Task = (typeof TASKS)[number];

export function taskOf(target: { readonly task?: Task | undefined }): Task {
  return target.task ?? 'classification';
}

/** The classes of a target; of a number, none. */
export function classesOf(target: { readonly task?: 'classification' | undefined; readonly classes: readonly string[] } | { readonly task: 'regression' }): readonly string[] {
  return target.task === 'regression' ? [] : target.classes;
}
