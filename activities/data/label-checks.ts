import type { Findings } from './findings.js';

export interface ClassCount { readonly split: string; readonly label: string; readonly rows: number }

/** Whether there is enough of every class to train on, and anything to judge by. */
export function checkClasses(counts: readonly ClassCount[], { classes, minimumRows }: { classes: readonly string[]; minimumRows: number }, findings: Findings): void {
  const rowsOf = (split: string, label: string) => counts.filter((count) => count.split === split && count.label === label).reduce((sum, { rows }) => sum + rows, 0);
  for (const label of classes) {
    const rows = rowsOf('train', label);
    if (rows === 0) findings.add('empty-class', 'block', `no training row of class ${label}`);
    else if (rows < minimumRows) findings.add('too-few-rows', 'block', `${rows} training rows of class ${label}; at least ${minimumRows} are needed`);
  }
  const judged = classes.filter((label) => rowsOf('test', label) > 0);
  if (judged.length === 0) findings.add('too-few-rows', 'block', NO_TEST_ROW);
  else for (const label of classes) if (!judged.includes(label)) findings.add('empty-class', 'warn', `no test row of class ${label}`);
}

export interface NumberRange { readonly split: string; readonly rows: number; readonly lowest: number; readonly highest: number }

/** Whether there are enough numbers to train on, of more than one value, and anything to judge by. */
export function checkNumbers(ranges: readonly NumberRange[], { name, minimumRows }: { name: string; minimumRows: number }, findings: Findings): void {
  const train = ranges.find(({ split }) => split === 'train');
  const rows = train?.rows ?? 0;
  if (rows < minimumRows) findings.add('too-few-rows', 'block', `${rows} training rows; at least ${minimumRows} are needed`);
  else if (train && train.lowest === train.highest) findings.add('constant-target', 'block', `the target ${name} has to vary; it is ${train.lowest} in all ${rows} training rows`);
  if (!ranges.some(({ split }) => split === 'test')) findings.add('too-few-rows', 'block', NO_TEST_ROW);
}

const NO_TEST_ROW = 'no test row: nothing could be judged';
