import type { Signature } from '../../contract/package.js';
import { createClassJudge } from './judge-classes.js';
import { createValueJudge } from './judge-values.js';
import type { RowJudge } from './row-judge.js';

/** `width`: raw numbers in a row. */
export function createRowJudge(signature: Signature, width: number): RowJudge {
  return signature.task === 'regression' ? createValueJudge(width) : createClassJudge(signature.classes, width);
}
