import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Decision, DECISION_MAX_CHARACTERS } from '../../contract/decision.js';
import { RunParams } from '../../contract/api/requests.js';
import { ERRORS, PerennialError, type ErrorCode } from '../../contract/errors.js';
import { digestOf } from '../../domain/digest.js';
import { findRun } from '../find.js';
import { parseReportFile, reportAnswer, ReportParams } from '../http/report.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { refuseLate } from '../late-decision.js';
import type { Services } from '../services.js';

/** The whole request is answered within 5 s: by what the workflow recorded, or by the ticket under which it will. */
const ANSWER_MS = 4_500;

export const getEvidence = defineRoute({
  method: 'GET', path: '/runs/:run/evidence', summary: 'The evidence that is open for decision', access: READERS, params: RunParams,
  async handle({ params, services: { stores } }) {
    const run = await findRun(stores, params.run);
    const evidence = await stores.evidence.current(run.id);
    if (!evidence) throw new PerennialError('run/unknown', `${run.id} has no sealed evidence (yet): it is at the step ${run.step}`);
    return { digest: evidence.digest, sealed: evidence.sealed, deadline: evidence.deadline, json: `/api/v1/reports/${evidence.digest}.json`, html: evidence.html ? `/api/v1/reports/${evidence.digest}.html` : null };
  },
});

/** Reads the report of a sealed evidence from S3; its bytes are checked against the digest on the way. */
export const getReport = defineRoute({
  method: 'GET', path: '/reports/:file', summary: 'A sealed report, DIGEST.html or DIGEST.json; a browser may send the token as the password of Basic authentication', access: READERS, basic: true,
  params: ReportParams,
  async handle({ params: { file }, services: { stores, artifacts } }) {
    const { digest, extension } = parseReportFile(file);
    const evidence = await stores.evidence.get(digest);
    const ref = evidence?.[extension];
    if (!ref) throw new PerennialError('run/unknown', `no report ${file}`);
    return reportAnswer(await artifacts.get(ref), extension);
  },
});

/**
 * Hands a signed decision to the run's workflow, which judges it. Any reader may send one: the signature is the proof, not the token.
 * Answers the recorded verdict, or the ticket when the workflow has not recorded one yet.
 */
export const postDecision = defineRoute({
  method: 'POST', path: '/runs/:run/decisions', summary: 'A signed decision', access: READERS, params: RunParams, body: z.unknown(),
  async handle({ params, body, services }) {
    const until = Date.now() + ANSWER_MS;
    const decision = parseDecision(body, params.run);
    const run = await findRun(services.stores, params.run);
    const digest = digestOf(decision);
    const earlier = await recorded(services, run.id, digest);
    if (earlier) return earlier;
    const sent = await services.workflows.decide(run.model, run.id, decision);
    if (sent.state === 'ended') {
      await refuseLate(services.stores, run, decision, digest);
      throw new PerennialError('decision/late', `${run.id} is over: it is ${run.status}`);
    }
    while (sent.state === 'ticket' && Date.now() < until) {
      const answer = await recorded(services, run.id, digest);
      if (answer) return answer;
      await sleep(100);
    }
    return new Answer(202, { state: sent.state === 'ticket' ? 'pending' : 'queued', ticket: sent.state === 'ticket' ? sent.ticket : null, message: sent.state === 'ticket' ? 'the workflow has the decision and has not judged it yet' : 'no lifecycle worker answers: Temporal keeps the decision until one is back' });
  },
});

function parseDecision(body: unknown, run: string): Decision {
  if (JSON.stringify(body ?? null).length > DECISION_MAX_CHARACTERS) throw new PerennialError('decision/malformed', `the decision is longer than ${DECISION_MAX_CHARACTERS} characters`);
  // One without a signature goes on to be judged: its refusal belongs into the ledger.
  const parsed = Decision.safeParse(typeof body === 'object' ? { signature: '', ...body } : body);
  if (!parsed.success) throw new PerennialError('decision/malformed', z.prettifyError(parsed.error));
  if (parsed.data.run !== run) throw new PerennialError('decision/malformed', `the decision is on ${parsed.data.run}, and was sent to ${run}`);
  return parsed.data;
}

async function recorded({ stores }: Services, run: string, digest: string): Promise<unknown> {
  const row = (await stores.decisions.list(run)).find((one) => digestOf(one.decision) === digest);
  if (!row) return undefined;
  if (row.accepted) return { state: 'accepted', verdict: row.decision.verdict, evidence: row.decision.evidence };
  const code = row.refusal && row.refusal in ERRORS ? (row.refusal as ErrorCode) : 'decision/malformed';
  throw new PerennialError(code, `the decision of ${row.decision.approver} on ${run} was refused (${row.refusal ?? 'no reason recorded'})`);
}
