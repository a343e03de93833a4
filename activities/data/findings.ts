import type { DataReport } from '../../contract/snapshot.js';

type Finding = DataReport['findings'][number];
export type Check = Finding['check'];
export type Severity = Finding['severity'];

const NAMED_ROWS = 20;

/** Collects what validation finds; rows of one check, severity and message are one finding with their count and the first 20 names. */
export class Findings {
  private readonly found = new Map<string, Finding>();

  /** @param row key or file; left out where the finding is about no row in particular */
  add(check: Check, severity: Severity, message: string, row?: string, count = 1): void {
    const id = JSON.stringify([check, severity, message]);
    const known = this.found.get(id);
    const finding = known ?? { check, severity, message, count: 0, rows: [] };
    finding.count += count;
    if (row !== undefined && finding.rows.length < NAMED_ROWS) finding.rows.push(row);
    if (!known) this.found.set(id, finding);
  }

  report(): DataReport {
    const findings = [...this.found.values()];
    return { v: 1, blocked: findings.some(({ severity }) => severity === 'block'), findings };
  }
}
