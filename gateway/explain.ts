import { ERRORS } from '../contract/errors.js';
import type { RunStep } from '../contract/run.js';
import type { RunView } from './run-view.js';

/** A run in words: what happened, where it stands, and what comes next or what to do. */
export interface Explanation { readonly happened: string; readonly stands: string; readonly next: string }

const STEPS = {
  queued: ['waits for its turn', 'a snapshot of its data is taken'],
  snapshot: ['its data is read and fixed as a snapshot', 'the rows are checked'],
  validate: ['the rows are checked', 'a quick pass tries the network on a few of them'],
  'quick-pass': ['the network is tried on a few rows', 'it is trained on all of them'],
  train: ['the network is trained', 'it is evaluated on rows it never saw'],
  compress: ['smaller variants of it are made and held against it', 'the one that was chosen is evaluated'],
  evaluate: ['the candidate is evaluated and its gates are judged', 'it is packaged'],
  package: ['the package is put together', 'the version is registered'],
  register: ['the version is registered', 'it is tried in the test environment'],
  'test-environment': ['the version is tried through HTTP in the test environment', 'the evidence is sealed'],
  evidence: ['the evidence is sealed', 'an approver is asked'],
  approval: ['waits for a decision', 'it is released when approved'],
  release: ['the version is released, every replica is read back', 'it is monitored'],
  done: ['every step is done', 'nothing'],
} as const satisfies Record<RunStep, readonly [string, string]>;

export function explainRun({ run, gates, evidence, decisions, lastEvent }: RunView): Explanation {
  const version = run.version === null ? '' : `${run.model}@${run.version}`;
  const reason = run.reason.kind === 'commit' ? `commit ${run.commit.slice(0, 8)}` : `${run.reason.kind} (${run.reason.detail})`;
  const passed = gates.filter((gate) => gate.verdict === 'pass').length;
  const happened = [`Started by ${reason}, asked for by ${run.reason.by}.`, ...(gates.length > 0 ? [`${passed} of ${gates.length} gates passed.`] : []), ...(version ? [`It made ${version}.`] : []), ...refusals(decisions)].join(' ');
  const decision = decisions.find((one) => one.accepted);
  const said = decision?.decision.comment ? `: “${decision.decision.comment}”` : '';
  const open = `perennial show ${run.id} --follow`;

  switch (run.status) {
    case 'queued': return { happened, stands: 'It waits for its turn.', next: `Another run of ${run.model} goes first; follow with \`${open}\`.` };
    case 'running': {
      const [now, then] = STEPS[run.step];
      return { happened, stands: `Step ${run.step}: ${now}${lastEvent ? ` (${lastEvent.message})` : ''}.`, next: `${troubleOf(lastEvent) ?? `Then ${then}.`} Follow with \`${open}\`.` };
    }
    case 'waiting': return { happened, stands: `Waits for an approver's decision on ${version} until ${evidence?.deadline ?? 'its deadline'}.`, next: `\`perennial approve ${run.id}\` or \`perennial reject ${run.id} --reason …\`; without a decision it expires.` };
    case 'released': return { happened, stands: `${version} was released${decision ? ` on the decision of ${decision.decision.approver}${said}` : ''}.`, next: `It is monitored; \`perennial show ${run.model}\` tells what serves.` };
    case 'applied': return { happened, stands: 'The commit changed policy only: it was applied, nothing was trained.', next: 'Nothing.' };
    case 'unchanged': return { happened, stands: 'The same definition was already trained on the same rows: nothing was trained.', next: `\`perennial retrain ${run.model} --force\` trains all the same.` };
    case 'rejected': return { happened, stands: `${version || 'The candidate'} was rejected${decision ? ` by ${decision.decision.approver}${said}` : ''}.`, next: `What served before goes on serving. Commit a change, or \`perennial retrain ${run.model}\`.` };
    case 'expired': return { happened, stands: `Nobody decided${evidence ? ` before ${evidence.deadline}` : ' in time'}.`, next: `What served before goes on serving. \`perennial retrain ${run.model}\` starts again.` };
    case 'superseded': return { happened, stands: 'A newer request took its place.', next: `\`perennial runs --model ${run.model}\` shows the newer run.` };
    case 'cancelled': return { happened, stands: `It was stopped${lastEvent ? ` (${lastEvent.message})` : ''}.${version ? '' : ' Nothing was registered.'}`, next: `\`perennial retrain ${run.model}\` starts again.` };
    case 'failed':
    case 'refused': return { happened, stands: `It ${run.status === 'failed' ? 'failed' : 'was refused'} at the step ${run.step}: ${run.error ? `${run.error.code}: ${run.error.message}` : 'no error was recorded'}${failedGates(gates)}.`, next: nextOf(run) };
  }
}

function refusals(decisions: RunView['decisions']): string[] {
  const refused = decisions.filter((one) => !one.accepted);
  return refused.length === 0 ? [] : [`${refused.length} ${refused.length === 1 ? 'decision was' : 'decisions were'} refused (${[...new Set(refused.map((one) => one.refusal ?? 'unknown'))].join(', ')}).`];
}

function failedGates(gates: RunView['gates']): string {
  const failed = gates.filter((gate) => gate.verdict !== 'pass');
  return failed.length === 0 ? '' : ` (${failed.map((gate) => `${gate.gate}: ${gate.reason}`).join('; ')})`;
}

/** What to do about the failed try that a running step had last. */
function troubleOf(lastEvent: RunView['lastEvent']): string | null {
  const next = lastEvent?.kind === 'error' ? lastEvent.data['next'] : null;
  return typeof next === 'string' ? next : null;
}

function nextOf({ error, model }: RunView['run']): string {
  if (!error) return 'See the log of the lifecycle worker.';
  const known = error.code in ERRORS ? ERRORS[error.code as keyof typeof ERRORS] : null;
  const next = error.next || known?.next || 'See the log of the lifecycle worker.';
  return known?.retryable ? `${next} This run was given up after many tries: \`perennial retrain ${model}\` begins again, and keeps what was trained.` : next;
}
