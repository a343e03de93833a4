/** ln Γ(x), x > 0: C. Lanczos (1964), with the coefficients of P. Godfrey (g = 7, n = 9); right to 1e-13. */
export function lnGamma(x: number): number {
  const coefficients = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x);
  const shifted = x - 1;
  const sum = coefficients.reduce((total, coefficient, index) => total + coefficient / (shifted + index + 1), 0.9999999999998099);
  const t = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * P(X > x) of a chi-square variable: the regularised incomplete gamma function Q(df / 2, x / 2), by its series or by Lentz's continued
 * fraction (W. Press et al., "Numerical Recipes", 6.2).
 */
export function chiSquareTail(x: number, df: number): number {
  if (x <= 0) return 1;
  const [a, z] = [df / 2, x / 2];
  const front = Math.exp(a * Math.log(z) - z - lnGamma(a));
  if (z < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 10_000 && term > sum * 1e-16; n += 1) sum += term *= z / (a + n);
    return Math.max(0, 1 - front * sum);
  }
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10_000; n += 1) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * fraction;
}

/** The value that Kolmogorov's distribution exceeds with this probability; solved from its series (A. Kolmogorov, 1933) by bisection. */
export function kolmogorovCritical(probability: number): number {
  const tail = (x: number) => {
    let sum = 0;
    for (let k = 1; k <= 100; k += 1) {
      const term = Math.exp(-2 * k * k * x * x);
      sum += k % 2 === 1 ? term : -term;
      if (term < 1e-18) break;
    }
    return 2 * sum;
  };
  let [low, high] = [0.2, 10];
  for (let step = 0; step < 80; step += 1) {
    const middle = (low + high) / 2;
    if (tail(middle) > probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
