import type { Answer } from '../../domain/outputs.js';
import type { LogPolicy } from '../../stores/models.js';
import { isSampled } from './kept-inputs.js';
import { planesOf, type LoggedOutputs } from './record.js';

/** Characters of a number in JSON, with its comma: rows of few classes need not be written out to know that they are small. */
const LONGEST_NUMBER = 26;

/**
 * What the policy lets the log keep of a request's answers. Monitoring needs the class and its probability, or a regression's value: sampling and the limit of size leave these,
 * only redaction takes them away. The same id always has the same answer.
 */
export function keptOutputs({ outputs: { share, maximumBytes, redact } }: LogPolicy, answers: readonly Answer[], requestId: string): LoggedOutputs {
  const planes = planesOf(answers);
  if ('values' in planes) return redact.includes('value') ? { outputsKept: 'none' } : planes;
  const { classes, probabilities } = planes;
  if (redact.includes('class')) return { outputsKept: 'none' };
  if (redact.includes('probabilities')) return { outputsKept: 'reduced', classes };
  if (isSampled(share, requestId) && probabilities.every((of) => of.length * LONGEST_NUMBER <= maximumBytes || JSON.stringify(of).length <= maximumBytes)) return planes;
  return { outputsKept: 'reduced', classes, scores: probabilities.map((of) => Math.max(...of)) };
}
