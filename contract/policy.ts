import { z } from 'zod';
import { Gate } from '../definition/evaluation.js';
import { Instant } from './ref.js';

/** An environment's policy, kept in PostgreSQL and changed by operators. A definition may only tighten it. */
export const EnvironmentPolicy = z.strictObject({
  v: z.literal(1),
  /** Principals who may approve; empty: every principal with the role `approver`. */
  approvers: z.array(z.string()).default([]),
  automaticApproval: z.boolean().default(false),
  /** Gates every candidate meets whatever its definition says. */
  gates: z.array(Gate).default([]),
  /** No release inside these windows. */
  freezes: z.array(z.strictObject({ from: Instant, until: Instant, reason: z.string() })).default([]),
  maximumDeadlineMs: z.int().positive().default(30 * 86_400_000),
});
export type EnvironmentPolicy = z.infer<typeof EnvironmentPolicy>;

export const ROLES = ['viewer', 'scientist', 'approver', 'operator', 'auditor', 'admin'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;
/** What a token may do besides its principal's roles: `predict` and `label` are for machines. */
export const Scope = z.enum(['api', 'predict', 'label']);
export type Scope = z.infer<typeof Scope>;
