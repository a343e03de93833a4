import type { Client } from '@temporalio/client';
import { workflowId } from '../../contract/names.js';
import type { RunStep } from '../../contract/run.js';
import { MODEL } from './repository.js';
import type { Turn } from './turn.js';

/** A step of one run: from its event to the next one, and the part of that in which an activity did the step's work. */
export interface Stage { readonly step: RunStep; readonly totalMs: number; readonly workMs: number }

interface Span { readonly from: number; readonly to: number }

/** What people take is not the loop's. */
const WAITS_FOR_PEOPLE: readonly RunStep[] = ['approval'];

/** Splits a run's steps into the work of activities on workers (as Temporal timed them) and everything around it. */
export async function readStages(temporal: Client, { run, events }: Turn): Promise<Stage[]> {
  const work = (await Promise.all([workflowId.lifecycle(MODEL, run), workflowId.environment(MODEL, 'production')].map((id) => activitySpans(temporal, id)))).flat();
  const marks = events.filter(({ kind }) => kind === 'step' || kind === 'end').map(({ step, at }) => ({ step, at: Date.parse(at) }));
  return marks.flatMap(({ step, at }, index) => {
    const next = marks[index + 1];
    if (!step || !next || WAITS_FOR_PEOPLE.includes(step)) return [];
    return [{ step, totalMs: next.at - at, workMs: covered(work, { from: at, to: next.at }) }];
  });
}

async function activitySpans(temporal: Client, id: string): Promise<Span[]> {
  const { events } = await temporal.workflow.getHandle(id).fetchHistory();
  const started = new Map<string, number>();
  const spans: Span[] = [];
  for (const event of events ?? []) {
    const at = Number(event.eventTime?.seconds ?? 0) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
    const begun = event.activityTaskStartedEventAttributes?.scheduledEventId;
    if (begun) started.set(String(begun), at);
    const ended = event.activityTaskCompletedEventAttributes?.scheduledEventId;
    const from = ended ? started.get(String(ended)) : undefined;
    if (from !== undefined) spans.push({ from, to: at });
  }
  return spans;
}

/** How much of `window` is covered by spans; what overlaps counts once. */
function covered(spans: readonly Span[], window: Span): number {
  let [sum, upTo] = [0, window.from];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const [begin, end] = [Math.max(from, upTo), Math.min(to, window.to)];
    if (end <= begin) continue;
    sum += end - begin;
    upTo = end;
  }
  return sum;
}
