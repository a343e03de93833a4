import { z } from 'zod';
import { Email, ModelName } from './common.js';
import { Data } from './data.js';
import { Evaluation, TestEnvironment } from './evaluation.js';
import { Alerts, Approval, Monitoring, Release, Retraining } from './operation.js';
import { Network, Training } from './training.js';

/** Everything a team says about a model. The fields of {@link TRAINING_FIELDS} change the weights; the rest is policy. */
export const ModelDefinition = z.strictObject({
  schema: z.literal(1),
  name: ModelName,
  owner: z.strictObject({ name: z.string().min(1), email: Email }),
  purpose: z.string().min(1),
  data: Data,
  network: Network,
  training: Training,
  evaluation: Evaluation,
  testEnvironment: TestEnvironment.prefault({}),
  approval: Approval.prefault({}),
  release: Release.prefault({}),
  monitoring: Monitoring.prefault({}),
  retraining: Retraining.prefault({}),
  alerts: Alerts.prefault({}),
});
export type ModelDefinition = z.infer<typeof ModelDefinition>;
/** What a team writes: defaults may be left out. */
export type ModelDefinitionInput = z.input<typeof ModelDefinition>;

/** The fields (with the bundle of `network.module`, if there is one) that the training digest covers. */
export const TRAINING_FIELDS = ['schema', 'name', 'data', 'network', 'training'] as const satisfies readonly (keyof ModelDefinition)[];
