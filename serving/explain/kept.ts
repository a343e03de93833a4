import type { KeptExplanation } from '../../contract/explanation.js';
import type { Signature } from '../../contract/package.js';
import type { Explanation } from '../../runtime/runner/start.js';
import type { LogPolicy } from '../../stores/models.js';
import { isSampled } from '../log/kept-inputs.js';

/** Bytes of one row's attributions that the log takes, whatever a definition allows for inputs. */
const MOST_BYTES = 65_536;
/** Cells of a summary, along each side. */
const CELLS = 8;

/**
 * What the policy lets the log keep of a request's explanations, one for each row. Attributions tell of the inputs as well as of the answers: they are kept where both
 * are, without redacted columns. A map that is too large is kept as the sums over a grid of 8 × 8.
 */
export function keptExplanations({ inputs, outputs }: LogPolicy, { head, attributions }: Explanation, signature: Signature, requestId: string): KeptExplanation[] {
  const { method, baseline, steps, shape, rows } = head;
  const size = shape.reduce((product, one) => product * one, 1);
  const isKept = isSampled(inputs.share, requestId) && outputs.redact.length === 0;
  const most = Math.min(MOST_BYTES, inputs.maximumBytes);
  return rows.map(({ target, output, baselineOutput, gap }, row) => {
    const own = attributions.subarray(row * size, (row + 1) * size);
    const figures = outputs.redact.length === 0 ? { output, baselineOutput, gap } : { output: null, baselineOutput: null, gap: null };
    const name = signature.task === 'regression' || outputs.redact.includes('class') ? null : signature.classes[target ?? -1] ?? null;
    return { method, baseline, steps, target: name, ...figures, shape, ...(isKept ? within(own, shape, signature, inputs.redact, most) : { attributions: null }) };
  });
}

function within(own: Float64Array, shape: readonly number[], { inputs }: Signature, redact: readonly string[], most: number): Pick<KeptExplanation, 'attributions' | 'summary'> {
  const [height = 0, width] = shape;
  if (width === undefined) {
    const byColumn = Object.fromEntries(inputs.flatMap(({ name }, column) => (redact.includes(name) ? [] : [[name, own[column] ?? 0] as const])));
    return { attributions: JSON.stringify(byColumn).length <= most ? byColumn : null };
  }
  const map = Buffer.from(Float32Array.from(own).buffer);
  if (map.byteLength <= most) return { attributions: map.toString('base64') };
  return { attributions: null, ...(most > 0 ? { summary: summaryOf(own, height, width) } : {}) };
}

/** Sums over the cells of a coarse grid, row by row. */
function summaryOf(map: Float64Array, height: number, width: number): { shape: number[]; sums: number[] } {
  const [rows, columns] = [Math.min(CELLS, height), Math.min(CELLS, width)];
  const sums = Array<number>(rows * columns).fill(0);
  map.forEach((value, pixel) => {
    const cell = Math.floor((Math.floor(pixel / width) * rows) / height) * columns + Math.floor(((pixel % width) * columns) / width);
    sums[cell] = (sums[cell] ?? 0) + value;
  });
  return { shape: [rows, columns], sums };
}
