import type { GateResult, Mistake } from '../../contract/evaluation.js';
import type { Evidence } from '../../contract/evidence.js';
import { compressionHtml, compressionLine } from './compression.js';
import { featuresHtml, hangsOn } from './importance.js';
import { headlineText, sliceText } from '../../domain/quality.js';
import { escapeMarkup as escape } from '../../domain/markup.js';
import { table } from '../html.js';
import { changeRows, mistakesHtml, qualityHtml, qualityLines, sliceTable } from '../quality.js';

interface Reader { readonly digest: string; readonly evidence: Evidence; readonly publicUrl: string; readonly approver?: string }

/** The exact commands by which this reader decides. */
function commands({ digest, evidence, approver }: Reader): { approve: string; reject: string } {
  const as = approver ? ` --as ${approver}` : '';
  return {
    approve: `perennial approve ${evidence.run}${as} --evidence ${digest.slice(0, 8)}`,
    reject: `perennial reject ${evidence.run}${as} --evidence ${digest.slice(0, 8)} --reason "…"`,
  };
}

const IF_NOBODY_ACTS = 'If nobody decides by then, nothing is released: the run ends as expired, and what is live stays live.';

/** The evidence as plain text, for a mail program that shows no HTML and for the terminal. */
export function evidenceText(reader: Reader): string {
  const { evidence, digest, publicUrl } = reader;
  const { approve, reject } = commands(reader);
  const live = evidence.live.version === null ? 'nothing is live yet' : `${evidence.model}@${evidence.live.version} is live (${evidence.live.evaluation ? headlineText(evidence.live.evaluation, evidence.metrics) : 'not judged'} on the same rows)`;
  return [
    `${evidence.model}@${evidence.version} asks to be released to ${evidence.environment}.`,
    `Why: ${evidence.reason}. Commit ${evidence.commit.slice(0, 12)}, snapshot ${evidence.snapshot.slice(0, 12)}.`,
    `Now: ${live}.`,
    '',
    'Gates',
    ...evidence.gates.map((gate) => `  ${gate.verdict.toUpperCase().padEnd(12)} ${gate.gate}: ${number(gate)} (threshold ${gate.threshold}, n ${gate.n}) ${gate.reason}`),
    '',
    `Unseen data: ${headlineText(evidence.evaluation, evidence.metrics)} on ${evidence.evaluation.n} rows`,
    ...qualityLines(evidence.evaluation, evidence.metrics),
    ...evidence.slices.filter((slice) => slice.report.n > 0).map((slice) => `  slice ${slice.name}: ${sliceText(slice.report, evidence.metrics)} on ${slice.report.n} rows`),
    ...(evidence.features ? [hangsOn(evidence.features)] : []),
    ...(evidence.frozen ?? []).map(({ name, digest: rows, report }) => `Frozen test set ${name}: ${headlineText(report, evidence.metrics)} on ${report.n} rows (${rows.slice(0, 12)})`),
    ...(evidence.compression ? [compressionLine(evidence.compression)] : []),
    `Test environment: ${evidence.testEnvironment.passed ? 'passed' : 'failed'}, p99 ${evidence.testEnvironment.latencyMs.p99.toFixed(1)} ms, ${evidence.testEnvironment.load.requestsPerSecond.toFixed(0)} requests/s, ${evidence.testEnvironment.load.errors} errors`,
    '',
    `Decide before ${evidence.deadline}. ${IF_NOBODY_ACTS}`,
    '',
    `  ${approve}`,
    `  ${reject}`,
    '',
    `Evidence ${digest}`,
    `${publicUrl}/api/v1/reports/${digest}.html`,
    `Its data: ${publicUrl}/api/v1/profiles/${evidence.snapshot}.html`,
    '',
  ].join('\n');
}

/** The evidence as an HTML fragment: what the mail shows, pictures included. */
export function evidenceHtml(reader: Reader & { readonly mistakes: readonly Mistake[] }): string {
  const { evidence, digest } = reader;
  const { approve, reject } = commands(reader);
  const live = evidence.live.evaluation;
  const slices = sliceTable(evidence.slices, evidence.metrics);
  const frozen = evidence.frozen && sliceTable(evidence.frozen, evidence.metrics);
  return `
<h1>${escape(evidence.model)}@${evidence.version} &rarr; ${escape(evidence.environment)}</h1>
<p>${escape(evidence.reason)}. Commit <code>${evidence.commit.slice(0, 12)}</code>, snapshot <a href="${escape(reader.publicUrl)}/api/v1/profiles/${evidence.snapshot}.html"><code>${evidence.snapshot.slice(0, 12)}</code></a>, package <code>${evidence.package.slice(0, 12)}</code>.</p>
<h2>Gates</h2>
${table(['gate', 'verdict', 'value', 'threshold', 'n', 'interval', 'why'], evidence.gates.map((gate) => [gate.gate, gate.verdict, number(gate), String(gate.threshold), String(gate.n), gate.interval ? `${gate.interval[0].toFixed(3)} to ${gate.interval[1].toFixed(3)}` : '', gate.reason]), (row) => row[1] ?? '')}
<h2>Against what is live${evidence.live.version === null ? '' : ` (${escape(evidence.model)}@${evidence.live.version})`}</h2>
${live ? table(['', 'candidate', 'live', 'change'], changeRows(evidence.evaluation, live, evidence.metrics)) : '<p>Nothing is live yet: this would be the first version.</p>'}
<h2>On unseen data (${evidence.evaluation.n} rows)</h2>
${qualityHtml(evidence.evaluation, evidence.metrics)}
${evidence.slices.length > 0 ? table([...slices.header, 'n'], slices.rows) : ''}
${evidence.features ? featuresHtml(evidence.features) : ''}
${frozen ? `<h2>On frozen test sets</h2>\n${table(['set', ...frozen.header.slice(1), 'n'], frozen.rows)}` : ''}
${evidence.compression ? compressionHtml(evidence.compression) : ''}
<h2>In the test environment</h2>
${table(['check', 'passed', 'what was seen'], evidence.testEnvironment.checks.map((check) => [check.check, check.passed ? 'pass' : 'fail', check.detail]), (row) => row[1] ?? '')}
<h2>Worst mistakes</h2>
${mistakesHtml(reader.mistakes)}
<h2>Decide before ${escape(evidence.deadline)}</h2>
<p>${IF_NOBODY_ACTS}</p>
<pre>${escape(approve)}\n${escape(reject)}</pre>
<p>Evidence <code>${digest}</code></p>`;
}

/** The evidence as a page of its own, kept beside its JSON. */
export function evidencePage(reader: Reader & { readonly mistakes: readonly Mistake[] }): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(reader.evidence.model)}@${reader.evidence.version}: evidence</title>
<style>body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.25rem .7rem;border-bottom:1px solid #d8dee6;text-align:left}.pass{color:#14713d}.fail{color:#b3261e;font-weight:600}.inconclusive{color:#8a5a00}figure{display:inline-block;margin:.3rem;font-size:12px}pre{background:#f3f5f8;padding:.8rem}</style>
<body>${evidenceHtml(reader)}</body></html>`;
}

function number(gate: GateResult): string {
  return gate.value === null ? '–' : gate.value.toFixed(4);
}
