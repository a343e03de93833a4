import { z } from 'zod';
import { CompressionReport } from '../contract/compression.js';
import { EvaluationReport, GateResult, QualityReport, TestEnvironmentReport } from '../contract/evaluation.js';
import { Evidence } from '../contract/evidence.js';
import { GuardrailCounts } from '../contract/guardrail-counts.js';
import { SnapshotSource } from '../contract/snapshot.js';
import { RunError, RunEvent, RunReason, RunStatus, RunStep } from '../contract/run.js';

/** What the command line reads of the gateway's answers; more may be in them. */
export const Run = z.object({
  id: z.string(), model: z.string(), cause: z.string(), reason: RunReason, commit: z.string(), status: RunStatus, step: RunStep,
  snapshot: z.string().nullable(), version: z.int().nullable(), error: RunError.nullable(), createdAt: z.string(), endedAt: z.string().nullable(),
});
export type Run = z.infer<typeof Run>;
/** The commit that no longer holds a model's file. */
export const Removed = z.object({ commit: z.string(), at: z.string() });
export const Runs = z.object({ runs: z.array(Run), removed: z.array(Removed.extend({ model: z.string() })).default([]) });

export const Decided = z.object({ decision: z.object({ verdict: z.string(), approver: z.string(), comment: z.string() }), accepted: z.boolean(), refusal: z.string().nullable(), at: z.string() });
export const RunView = z.object({
  run: Run, gates: z.array(GateResult),
  evaluations: z.object({ offline: EvaluationReport.nullable(), liveOnSameRows: EvaluationReport.nullable(), testEnvironment: TestEnvironmentReport.nullable(), compression: CompressionReport.nullable() }),
  evidence: z.object({ digest: z.string(), version: z.int(), environment: z.string(), deadline: z.string() }).nullable(),
  decisions: z.array(Decided),
  explanation: z.object({ happened: z.string(), stands: z.string(), next: z.string() }),
});
export type RunView = z.infer<typeof RunView>;
export const Events = z.object({ events: z.array(RunEvent.extend({ id: z.int() })) });
export type Event = z.infer<typeof Events>['events'][number];

export const EvidenceView = z.object({ digest: z.string(), sealed: Evidence, deadline: z.string(), html: z.string().nullable() });
export type EvidenceView = z.infer<typeof EvidenceView>;

export const Served = z.object({
  environment: z.string(), live: z.int().nullable(), paused: z.boolean(), settled: z.boolean(),
  route: z.object({ generation: z.int(), reason: z.string(), writtenAt: z.string(), writtenBy: z.string() }).nullable(),
  replicas: z.array(z.object({ replica: z.string(), url: z.string(), version: z.int().nullable(), generation: z.int().nullable() })),
});
export type Served = z.infer<typeof Served>;
const Finding = z.object({ id: z.int(), severity: z.string(), message: z.string(), version: z.int().nullable(), environment: z.string(), openedAt: z.string(), closedAt: z.string().nullable() });
export const Findings = z.object({ findings: z.array(Finding) });
export const ModelView = z.object({
  model: z.object({ name: z.string(), repository: z.string(), purpose: z.string(), currentCommit: z.string().nullable(), removed: Removed.nullable().default(null) }),
  environments: z.array(Served), open: z.array(Run), runs: z.array(Run), findings: z.array(Finding),
});
export type ModelView = z.infer<typeof ModelView>;
export const Models = z.object({
  models: z.array(z.object({ name: z.string(), removed: Removed.nullable().default(null), serves: z.array(z.object({ environment: z.string(), version: z.int().nullable(), paused: z.boolean() })), open: z.array(z.object({ run: z.string(), step: z.string(), status: z.string() })), findings: z.int() })),
});

export const Version = z.object({ model: z.string(), version: z.int(), run: z.string(), status: z.string(), commit: z.string(), snapshot: z.string(), packageDigest: z.string(), registeredAt: z.string(), reason: z.string() });
export const Versions = z.object({ versions: z.array(Version) });
const Transition = z.object({ from: z.string().nullable(), to: z.string(), by: z.string(), why: z.string(), at: z.string() });
export const VersionView = z.object({ version: Version, transitions: z.array(Transition), evaluation: z.object({ overall: QualityReport }).nullable(), compression: CompressionReport.nullable() });

export const Intake = z.object({ status: z.enum(['unknown', 'open', 'accepted', 'refused']), models: z.array(z.string()), runs: z.array(z.object({ model: z.string(), run: z.string(), status: z.string() })), error: RunError.nullable() });
export type Intake = z.infer<typeof Intake>;

export const Requested = z.looseObject({ requested: z.string() });
export const RolledBack = z.object({ model: z.string(), environment: z.string(), from: z.int().nullable(), to: z.int(), generation: z.int(), requested: z.string(), breakGlass: z.boolean(), why: z.string().optional() });
export const DecisionAnswer = z.object({ state: z.enum(['accepted', 'pending', 'queued']), ticket: z.string().nullable().optional(), message: z.string().optional(), verdict: z.string().optional() });

export const ServedAt = z.object({ model: z.string(), environment: z.string(), time: z.string(), versions: z.array(z.int()), replicas: z.array(z.object({ replica: z.string(), state: z.enum(['version', 'nothing', 'unknown']), version: z.int().nullable(), generation: z.int().nullable() })) });
export const Audit = z.object({
  version: z.object({ model: z.string(), version: z.int(), status: z.string(), package: z.string(), trainingDigest: z.string() }),
  commit: z.object({ commit: z.string(), repository: z.string().nullable(), committer: z.object({ name: z.string(), email: z.string() }).nullable(), message: z.string().nullable() }),
  run: z.object({ run: z.string(), reason: RunReason, startedAt: z.string(), endedAt: z.string().nullable(), status: z.string() }).nullable(),
  data: z.object({ snapshot: z.string(), rows: z.int(), sources: z.array(SnapshotSource).nullable() }).nullable(),
  evidence: z.object({ digest: z.string(), gates: z.array(GateResult), deadline: z.string() }).nullable(),
  decisions: z.array(z.object({ verdict: z.string(), approver: z.string(), comment: z.string(), via: z.string(), accepted: z.boolean(), refusal: z.string().nullable(), at: z.string() })),
  reproductions: z.array(z.object({ id: z.string(), by: z.string(), status: z.string(), because: z.array(z.string()), startedAt: z.string(), endedAt: z.string().nullable() })),
  served: z.array(z.object({ replica: z.string(), environment: z.string(), generation: z.int(), from: z.string(), until: z.string().nullable() })),
  ledger: z.array(z.object({ chain: z.string(), ok: z.boolean(), brokenAt: z.int().optional(), why: z.string().optional() })),
  ledgerVerified: z.boolean(),
});
export type Audit = z.infer<typeof Audit>;

export const Checks = z.object({ checks: z.array(z.object({ id: z.string(), environment: z.string(), version: z.int(), labels: z.int(), predictions: z.int(), verdict: z.string(), at: z.string(), report: z.looseObject({ unjudged: z.int().optional(), guardrails: GuardrailCounts.optional() }) })) });
export const Repositories = z.object({ repositories: z.array(z.object({ name: z.string(), url: z.string(), branches: z.array(z.string()), pollSeconds: z.int() })), refusedHooks: z.array(z.object({ repository: z.string().nullable(), reason: z.string(), count: z.int(), lastAt: z.string() })) });
export const AddedRepository = z.object({ repository: z.object({ name: z.string(), url: z.string(), branches: z.array(z.string()) }), hook: z.object({ path: z.string(), secret: z.string(), secretFile: z.string() }) });
const Grant = z.object({ role: z.string(), environment: z.string().nullable() });
export const Principals = z.object({ principals: z.array(z.object({ id: z.string(), kind: z.string(), displayName: z.string(), email: z.string().nullable(), publicKey: z.string().nullable(), disabledAt: z.string().nullable(), roles: z.array(Grant) })) });
export const Environments = z.object({ environments: z.array(z.object({ name: z.string(), policyVersion: z.int(), policy: z.record(z.string(), z.unknown()), routes: z.array(z.object({ model: z.string(), generation: z.int(), arms: z.array(z.object({ version: z.int(), role: z.string() })) })) })) });
export const Replicas = z.object({ replicas: z.array(z.object({ id: z.string(), url: z.string(), serving: z.array(z.object({ model: z.string(), version: z.int().nullable(), generation: z.int() })) })) });
export const Locations = z.object({ locations: z.array(z.object({ name: z.string(), uri: z.string(), by: z.string(), at: z.string() })) });
export const Anything = z.looseObject({});
export const LedgerVerdict = z.object({ chain: z.string(), ok: z.boolean(), entries: z.int(), brokenAt: z.int().optional(), why: z.string().optional() });
export const LedgerEntries = z.object({ chain: z.string(), entries: z.array(z.object({ seq: z.int(), at: z.string(), actor: z.string(), action: z.string(), subject: z.record(z.string(), z.unknown()), hash: z.string() })) });
