import { randomBytes } from 'node:crypto';
import type { Decision } from '../../contract/decision.js';
import { SIGNALS, workflowId } from '../../contract/names.js';
import { signDecision } from '../../domain/decision.js';
import { listKeys, readKey } from '../approver-key.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import type { Register } from '../register.js';
import { evidenceText } from '../render.js';
import { DecisionAnswer, EvidenceView } from '../views.js';

interface Options { as?: string; evidence?: string; comment?: string; reason?: string; printSignal?: boolean }

const PREFIX = 8;

export const addDecisionCommands: Register = (add, program) => {
  add<[string], Options>(program, 'approve <run>', 'judge a run\'s evidence and approve its release',
    (command) => command.option('--as <principal>', 'whose key signs').option('--evidence <prefix>', `the first ${PREFIX} characters of the evidence that was judged`).option('--comment <text>', 'why').option('--print-signal', 'print the signed payload for any Temporal client, and send nothing'),
    (context, options, run) => decide(context, run, 'approve', options));
  add<[string], Options>(program, 'reject <run>', 'reject a run\'s release',
    (command) => command.requiredOption('--reason <text>', 'why').option('--as <principal>', 'whose key signs').option('--evidence <prefix>', `the first ${PREFIX} characters of the evidence that was judged`).option('--print-signal', 'print the signed payload for any Temporal client, and send nothing'),
    (context, options, run) => decide(context, run, 'reject', options));
};

async function decide(context: Context, run: string, verdict: Decision['verdict'], options: Options): Promise<number> {
  const evidence = await context.api.get(EvidenceView, `/runs/${encodeURIComponent(run)}/evidence`);
  const approver = await approverOf(context, options.as);
  const key = await readKey(context.config.secretsDir, approver);
  if (!key) throw new CommandError('decision/unsigned', `there is no key of ${approver} on this machine`, `Make one with \`perennial principal key ${approver}\`.`);
  if (!context.json) context.io.out(`${evidenceText(context, evidence)}\n\n`);

  await confirm(context, evidence.digest, verdict, options.evidence);
  const comment = options.comment ?? options.reason ?? (context.io.ask && options.evidence === undefined ? await context.io.ask('Comment (kept with the decision): ') : '');
  const decision = signDecision({ v: 1, run, evidence: evidence.digest, verdict, comment, approver, nonce: randomBytes(18).toString('base64url') }, key.privateKey);
  if (options.printSignal) {
    const command = signalCommand(evidence.sealed.model, run, decision);
    context.answer({ decision, command }, () => `${JSON.stringify(decision, null, 2)}\n\n${command}`);
    return 0;
  }
  const answer = await context.api.post(DecisionAnswer, `/runs/${encodeURIComponent(run)}/decisions`, decision);
  context.answer({ run, verdict, approver, evidence: evidence.digest, ...answer }, () => told(run, verdict, answer));
  return 0;
}

function told(run: string, verdict: Decision['verdict'], answer: { state: string; message?: string | undefined }): string {
  if (answer.state !== 'accepted') return `sent: ${answer.message ?? 'it is judged when a worker is back'}; see \`perennial show ${run}\``;
  return verdict === 'approve' ? `approved: ${run} is released · follow: perennial show --follow ${run}` : `rejected: ${run} is not released`;
}

/** The approver types the beginning of the digest of what they judged, so that a decision is never on something they did not see. */
async function confirm({ io }: Context, digest: string, verdict: Decision['verdict'], given: string | undefined): Promise<void> {
  if (given === undefined && io.ask === null) throw new UsageError(`--evidence PREFIX is needed where nobody can be asked: the first ${PREFIX} characters of the evidence's digest`);
  const typed = (given ?? (await io.ask?.(`To ${verdict}, type the first ${PREFIX} characters of the evidence: `)) ?? '').trim().toLowerCase();
  if (typed.length < PREFIX) throw new UsageError(`the evidence is named by at least ${PREFIX} characters, found ${typed.length}`);
  if (!digest.startsWith(typed)) throw new CommandError('decision/stale-evidence', `"${typed}" is not the evidence that is open for decision (${digest.slice(0, PREFIX)}…)`, 'Read the present evidence above, then decide again.');
}

async function approverOf(context: Context, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const known = await listKeys(context.config.secretsDir);
  const [only] = known;
  if (only !== undefined && known.length === 1) return only;
  throw new UsageError(known.length === 0 ? '--as PRINCIPAL: there is no approver\'s key on this machine yet (`perennial principal key NAME`)' : `--as PRINCIPAL: one of ${known.join(', ')}`);
}

/** For a shell: the payload in single quotes, each of its own quotes escaped. */
function signalCommand(model: string, run: string, decision: Decision): string {
  const quoted = `'${JSON.stringify(decision).replaceAll('\'', '\'\\\'\'')}'`;
  return `temporal workflow signal --workflow-id ${workflowId.lifecycle(model, run)} --name ${SIGNALS.decide} --input ${quoted}`;
}
