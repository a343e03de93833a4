import { Z95 } from './intervals.js';

/** From here on the expansion alone is exact to 12 digits. */
const MANY = 1_000;

/**
 * The 0.975 quantile of Student's t distribution: two-sided 95% intervals of a mean whose deviation is estimated.
 * Starting value: Cornish-Fisher expansion in 1/df (Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.5); refined by Newton's method
 * on the distribution function, a finite series for whole degrees of freedom (26.7.3, 26.7.4).
 * @param df degrees of freedom, a whole number from 1 on
 */
export function studentT95(df: number): number {
  if (!Number.isInteger(df) || df < 1) throw new RangeError(`${df} are no degrees of freedom`);
  // The series is far off for one and two, which have closed forms.
  if (df === 1) return Math.tan(Math.PI * 0.475);
  if (df === 2) return 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
  let t = expansion(df);
  if (df >= MANY) return t;
  for (let turn = 0; turn < 20; turn += 1) {
    const step = (within(t, df) - 0.95) / (2 * density(t, df));
    t -= step;
    if (Math.abs(step) < 1e-14 * t) break;
  }
  return t;
}

function expansion(df: number): number {
  const z = Z95;
  const [z3, z5, z7, z9] = [z ** 3, z ** 5, z ** 7, z ** 9];
  return z + (z3 + z) / (4 * df) + (5 * z5 + 16 * z3 + 3 * z) / (96 * df ** 2) + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * df ** 3)
    + (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * df ** 4);
}

/** Probability that |T| is at most t. */
function within(t: number, df: number): number {
  const angle = Math.atan(t / Math.sqrt(df));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = df % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = df === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= df - 2; power += 2) {
    term *= ((power - 1) / power) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

function density(t: number, df: number): number {
  // Γ((df+1)/2) / (√π Γ(df/2)), step by step from one degree of freedom (1/π) or two (1/2).
  let factor = df % 2 === 1 ? 1 / Math.PI : 0.5;
  for (let at = df % 2 === 1 ? 1 : 2; at < df; at += 2) factor *= (at + 1) / at;
  return (factor / Math.sqrt(df)) * (1 + (t * t) / df) ** (-(df + 1) / 2);
}
