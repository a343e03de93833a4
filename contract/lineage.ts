import { z } from 'zod';
import { Instant } from './ref.js';

/**
 * What a piece of a model's history is. `view`: a feature view, or one content that it had: rows that another definition would not give. `predictions`: the labelled answers of versions that became rows of a snapshot.
 * `environment`: one stretch of time in which a version served.
 */
export const LineageKind = z.enum(['source', 'view', 'predictions', 'snapshot', 'commit', 'finding', 'run', 'version', 'environment', 'scores', 'reproduction']);
export type LineageKind = z.infer<typeof LineageKind>;

/** `id` is unique in one lineage: `version/car-truck@2`, `snapshot/<digest>`. `lines` say more of it, for people. */
export const LineageNode = z.strictObject({ id: z.string(), kind: LineageKind, name: z.string(), at: Instant.nullable(), lines: z.array(z.string()) });
export type LineageNode = z.infer<typeof LineageNode>;

/** `to` came from `from`: data, code, or a reason. */
export const LineageEdge = z.strictObject({ from: z.string(), to: z.string(), how: z.string() });
export type LineageEdge = z.infer<typeof LineageEdge>;

/** What `of` came from and what came from it, as a graph without circles; `more` names versions behind which it goes on. */
export const Lineage = z.strictObject({ v: z.literal(1), of: z.string(), depth: z.int().min(1), nodes: z.array(LineageNode), edges: z.array(LineageEdge), more: z.array(z.string()) });
export type Lineage = z.infer<typeof Lineage>;
