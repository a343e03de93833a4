import type { Slices } from './slices.js';

/** The sum, over rows of tensors one after another, of the gradients of an output with regard to them. */
export type GradientSum = (tensors: Float32Array, rows: number) => Float32Array;

/**
 * Integrated gradients of one row: `(x_i - b_i) ∫₀¹ ∂f(b + α(x - b)) / ∂x_i dα` for each number `i` of its tensor, the integral by the midpoint rule over `steps`
 * points (M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017, equations 1 and 3). They sum to `f(x) - f(b)` but for the
 * error of the rule (completeness, proposition 1).
 */
export function* integratedGradients(gradientSum: GradientSum, inputs: Float32Array, baseline: Float32Array, steps: number): Slices<Float64Array> {
  const width = inputs.length;
  const sums = new Float64Array(width);
  let points = yield 0;
  for (let done = 0; done < steps;) {
    const count = Math.min(points, steps - done);
    const batch = new Float32Array(count * width);
    for (let point = 0; point < count; point += 1) {
      const alpha = (done + point + 0.5) / steps;
      for (let index = 0; index < width; index += 1) {
        const from = baseline[index] ?? 0;
        batch[point * width + index] = from + alpha * ((inputs[index] ?? 0) - from);
      }
    }
    const gradients = gradientSum(batch, count);
    for (let index = 0; index < width; index += 1) sums[index] = (sums[index] ?? 0) + (gradients[index] ?? 0);
    done += count;
    points = yield count;
  }
  return sums.map((sum, index) => (((inputs[index] ?? 0) - (baseline[index] ?? 0)) * sum) / steps);
}
