import { GateResult } from '../contract/evaluation.js';
import type { Stores } from '../stores/index.js';

type Run = NonNullable<Awaited<ReturnType<Stores['runs']['get']>>>;
export type RunView = Awaited<ReturnType<typeof loadRunView>>;

/** Everything the registry holds about a run, read side by side. */
export async function loadRunView(stores: Stores, run: Run) {
  const [offline, liveOnSameRows, testEnvironment, compression, evidence, decisions, events] = await Promise.all([
    stores.evaluations.get(run.id, 'offline'), stores.evaluations.get(run.id, 'live-on-same-rows'), stores.evaluations.get(run.id, 'test-environment'), stores.evaluations.get(run.id, 'compression'),
    stores.evidence.current(run.id), stores.decisions.list(run.id), allEvents(stores, run.id),
  ]);
  const told = events.filter((event) => event.kind === 'gate').flatMap((event) => GateResult.safeParse(event.data['gate'] ?? event.data).data ?? []);
  return {
    run,
    gates: evidence?.sealed.gates ?? [...new Map(told.map((gate) => [gate.gate, gate])).values()],
    evaluations: { offline: offline?.report ?? null, liveOnSameRows: liveOnSameRows?.report ?? null, testEnvironment: testEnvironment?.report ?? null, compression: compression?.report ?? null },
    evidence: evidence && { digest: evidence.digest, version: evidence.version, environment: evidence.environment, liveVersion: evidence.liveVersion, liveGeneration: evidence.liveGeneration, deadline: evidence.deadline },
    decisions,
    lastEvent: events.at(-1) ?? null,
  };
}

const PAGE = 1_000;
async function allEvents(stores: Stores, run: string) {
  const events = await stores.runs.events(run, 0, PAGE);
  for (let page = events; page.length === PAGE;) {
    page = await stores.runs.events(run, events.at(-1)?.id, PAGE);
    events.push(...page);
  }
  return events;
}
