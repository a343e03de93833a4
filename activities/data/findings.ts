import type { DataReport, ExpectationResult, SnapshotDifference } from '../../contract/snapshot.js';

type Finding = DataReport['findings'][number];
export type Check = Finding['check'];
export type Severity = Finding['severity'];

/** Rows that a report names of each finding. */
export const NAMED_ROWS = 20;

/** Collects what validation finds; rows of one check, severity and message are one finding with their count and the first 20 names. */
export class Findings {
  private readonly found = new Map<string, Finding>();

  private readonly expectations: ExpectationResult[] = [];

  private comparison: DataReport['comparison'];

  /** @param row key or file; left out where the finding is about no row in particular */
  add(check: Check, severity: Severity, message: string, row?: string, count = 1): void {
    const id = JSON.stringify([check, severity, message]);
    const known = this.found.get(id);
    const finding = known ?? { check, severity, message, count: 0, rows: [] };
    finding.count += count;
    if (row !== undefined && finding.rows.length < NAMED_ROWS) finding.rows.push(row);
    if (!known) this.found.set(id, finding);
  }

  /** Rows of one finding: the names of the first of them, and how many there are in all. */
  addRows(check: Check, severity: Severity, message: string, named: readonly string[], rows: number): void {
    named.forEach((name, index) => { this.add(check, severity, message, name, index === 0 ? rows - named.length + 1 : 1); });
  }

  /** Takes in what became of the definition's expectations: those that were missed are findings. */
  addExpectations(results: readonly ExpectationResult[]): void {
    this.expectations.push(...results);
    for (const { passed, severity, expectation, observed, missed, rows } of results) {
      if (passed) continue;
      const message = `expected that ${expectation}; ${missed === null ? `found ${figureText(observed)}` : `${missed} rows miss it`}`;
      this.found.set(JSON.stringify(['expectation', severity, message]), { check: 'expectation', severity, message, count: missed ?? 1, rows: [...rows] });
    }
  }

  /** Takes in how the rows differ from those of the snapshot before: what is beyond the definition's limits is a finding. */
  addComparison(previous: string, differences: readonly SnapshotDifference[]): void {
    this.comparison = { previous, differences: [...differences] };
    for (const { exceeded, severity, message, about } of differences) if (exceeded) this.add('changed', severity, `since snapshot ${previous.slice(0, 12)}, ${message}`, about);
  }

  report(): DataReport {
    const findings = [...this.found.values()];
    return { v: 1, blocked: findings.some(({ severity }) => severity === 'block'), findings, ...(this.expectations.length > 0 ? { expectations: this.expectations } : {}), ...(this.comparison ? { comparison: this.comparison } : {}) };
  }
}

/** Six digits tell enough; whole numbers are told whole. */
function figureText(observed: ExpectationResult['observed']): string {
  if (typeof observed !== 'number') return observed ?? 'no value';
  return String(Number.isInteger(observed) ? observed : +observed.toPrecision(6));
}
