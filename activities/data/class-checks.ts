import type { Data } from '../../definition/data.js';
import type { Findings } from './findings.js';

export interface ClassCount { readonly split: string; readonly label: string; readonly rows: number }

/** Whether there is enough of every class to train on, and anything to judge by. */
export function checkClasses(counts: readonly ClassCount[], data: Data, findings: Findings): void {
  const rowsOf = (split: string, label: string) => counts.filter((count) => count.split === split && count.label === label).reduce((sum, { rows }) => sum + rows, 0);
  for (const label of data.target.classes) {
    const rows = rowsOf('train', label);
    const least = data.checks.minimumRowsPerClass;
    if (rows === 0) findings.add('empty-class', 'block', `no training row of class ${label}`);
    else if (rows < least) findings.add('too-few-rows', 'block', `${rows} training rows of class ${label}; at least ${least} are needed`);
  }
  const judged = data.target.classes.filter((label) => rowsOf('test', label) > 0);
  if (judged.length === 0) findings.add('too-few-rows', 'block', 'no test row: nothing could be judged');
  else for (const label of data.target.classes) if (!judged.includes(label)) findings.add('empty-class', 'warn', `no test row of class ${label}`);
}
