import { randomUUID } from 'node:crypto';
import { Instant, parseVersionName, VersionName } from '../../contract/ref.js';
import { guardedLines } from '../../domain/guardrails/counts.js';
import type { Context } from '../command.js';
import { UsageError } from '../errors.js';
import { plain, type Register } from '../register.js';
import { gateTable } from '../render.js';
import { moment, table } from '../table.js';
import { Anything, Audit, Checks, Findings, LedgerEntries, LedgerVerdict, ServedAt } from '../views.js';

export const addAuditCommands: Register = (add, program) => {
  add<[string, string], { environment: string }>(program, 'served-at <model> <time>', 'what every replica served at an instant (ISO 8601 with an offset)', (command) => command.option('--environment <name>', 'where', 'production'),
    async (context, { environment }, model, time) => {
      if (!Instant.safeParse(time).success) throw new UsageError(`"${time}" is not a time with an offset: write 2026-11-21T09:30:00Z or 2026-11-21T10:30:00+01:00`);
      const answer = await context.api.get(ServedAt, `/models/${encodeURIComponent(model)}/served-at`, { time, environment });
      const meaning = { version: (version: number | null) => `${model}@${version ?? '?'}`, nothing: () => 'nothing', unknown: () => context.paint.yellow('unknown: its lease had lapsed') } as const;
      context.answer(answer, () => (answer.replicas.length === 0
        ? `no replica of ${environment} held a lease at ${time}: nothing served`
        : table(['REPLICA', 'SERVED', 'GENERATION'], answer.replicas.map((one) => [one.replica, meaning[one.state](one.version), one.generation]))));
      return 0;
    });

  add<[string]>(program, 'audit <version>', 'where a version comes from, who decided, when it served (car-truck@3)', plain,
    async (context, _options, name) => {
      const parsed = VersionName.safeParse(name);
      if (!parsed.success) throw new UsageError(`"${name}": ${parsed.error.issues[0]?.message ?? 'not a version'}`);
      const { model, version } = parseVersionName(name);
      const audit = await context.api.get(Audit, `/models/${model}/versions/${version}/audit`);
      context.answer(audit, () => auditText(context, name, audit));
      return audit.ledgerVerified ? 0 : 1;
    });

  add<[string], { environment: string; now?: boolean }>(program, 'monitor <model>', 'monitoring checks and findings', (command) => command.option('--environment <name>', 'with --now: where', 'production').option('--now', 'run the check now'),
    async (context, { environment, now = false }, model) => {
      const path = `/models/${encodeURIComponent(model)}`;
      const started = now ? await context.api.post(Anything, `${path}/check`, { environment, id: randomUUID() }) : null;
      const [{ checks }, { findings }] = await Promise.all([context.api.get(Checks, `${path}/checks`), context.api.get(Findings, `${path}/findings`)]);
      context.answer({ checks, findings, ...(started ? { started } : {}) }, () => [
        ...(started ? [`a check was started: \`perennial monitor ${model}\` shows it in a moment`, ''] : []),
        table(['AT', 'ENVIRONMENT', 'VERSION', 'VERDICT', 'LABELS'], checks.map((check) => [moment(check.at), check.environment, `${model}@${check.version}`, check.verdict, check.labels])),
        ...checks.slice(0, 1).flatMap(({ report: { unjudged = 0 }, version }) => (unjudged === 0 ? [] : [context.paint.yellow(`${unjudged} labels of ${model}@${version} have nothing to be held against: its definition keeps what was answered out of the log (predictionLog.outputs.redact)`)])),
        ...checks.slice(0, 1).flatMap(({ report: { guardrails } }) => (guardrails ? guardedLines(guardrails) : [])),
        ...findings.map((finding) => `${finding.closedAt === null ? context.paint.yellow('open finding') : 'closed finding'} since ${moment(finding.openedAt)}: ${finding.message}`),
      ].join('\n'));
      return 0;
    });

  const ledger = program.command('ledger').description('the append-only record of who did what');
  add<[string, string | undefined]>(ledger, 'verify <model> [environment]', 'recompute the chain of hashes', plain,
    async (context, _options, model, environment = 'production') => {
      const verdict = await context.api.get(LedgerVerdict, `/ledger/${encodeURIComponent(model)}/${encodeURIComponent(environment)}/verify`);
      context.answer(verdict, () => (verdict.ok ? `${verdict.chain}: whole, ${verdict.entries} entries` : context.paint.red(`${verdict.chain}: broken at entry ${verdict.brokenAt ?? '?'}: ${verdict.why ?? 'no reason given'}`)));
      return verdict.ok ? 0 : 1;
    });
  add<[string, string | undefined]>(ledger, 'show <model> [environment]', 'its entries', plain,
    async (context, _options, model, environment = 'production') => {
      const answer = await context.api.get(LedgerEntries, `/ledger/${encodeURIComponent(model)}/${encodeURIComponent(environment)}`);
      context.answer(answer, () => table(['SEQ', 'AT', 'ACTOR', 'ACTION', 'SUBJECT'], answer.entries.map((entry) => [entry.seq, moment(entry.at), entry.actor, entry.action, JSON.stringify(entry.subject)])));
      return 0;
    });
};

function auditText(context: Pick<Context, 'paint'>, name: string, audit: Audit): string {
  const { paint } = context;
  const who = audit.commit.committer;
  return [
    `${paint.bold(name)}  ${audit.version.status}  package ${audit.version.package}`,
    `commit ${audit.commit.commit} of ${audit.commit.repository ?? 'an unknown repository'}${who ? ` by ${who.name} <${who.email}>` : ''}${audit.commit.message ? `: ${audit.commit.message.split('\n')[0] ?? ''}` : ''}`,
    ...(audit.run ? [`run ${audit.run.run} (${audit.run.reason.kind}: ${audit.run.reason.detail}) from ${moment(audit.run.startedAt)} to ${moment(audit.run.endedAt)}`] : []),
    ...(audit.data ? [`data: snapshot ${audit.data.snapshot}, ${audit.data.rows} rows`, ...sourceLines(audit.data)] : []),
    ...(audit.evidence ? [`evidence ${audit.evidence.digest}`, '', gateTable(context, audit.evidence.gates)] : ['no evidence was sealed']), '',
    audit.decisions.length === 0 ? 'no decisions' : table(['AT', 'APPROVER', 'VERDICT', 'COUNTS', 'COMMENT'], audit.decisions.map((one) => [moment(one.at), one.approver, one.verdict, one.accepted ? 'yes' : `no: ${one.refusal ?? ''}`, one.comment])), '',
    audit.served.length === 0 ? 'it never served' : table(['REPLICA', 'ENVIRONMENT', 'GENERATION', 'FROM', 'UNTIL'], audit.served.map((one) => [one.replica, one.environment, one.generation, moment(one.from), one.until === null ? 'now' : moment(one.until)])), '',
    ...(audit.reproductions.length > 0 ? [table(['REPRODUCED', 'BY', 'RESULT', 'WHY'], audit.reproductions.map((one) => [moment(one.startedAt), one.by, one.status, one.because[0]])), ''] : []),
    ...audit.ledger.map((chain) => (chain.ok ? paint.green(`ledger ${chain.chain}: whole`) : paint.red(`ledger ${chain.chain}: broken at entry ${chain.brokenAt ?? '?'}: ${chain.why ?? ''}`))),
  ].join('\n');
}

function sourceLines({ sources }: NonNullable<Audit['data']>): string[] {
  if (sources === null) return ['  where they came from is not known: the snapshot\'s manifest is gone from S3'];
  return sources.map(({ description, rows, terms, collected }) => `  ${rows} of ${description}${collected ? `, collected ${collected.from} to ${collected.to}` : ''}${terms === undefined ? '' : `, terms: ${terms}`}`);
}
