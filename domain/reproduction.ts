import type { RegressionReport } from '../contract/evaluation.js';
import type { EnvironmentLock } from '../contract/package.js';
import type { ReproductionReport, WeightsComparison } from '../contract/reproduction.js';

/**
 * What counts as the same where several threads add up in whatever order they finish. Sums of 32-bit floats in another order differ in the
 * last bits, and training carries that on; a row near the border may then fall to the other side, so figures get more room. Those of a
 * regression that are in the target's unit are compared in mean absolute errors.
 */
export const DEFAULT_TOLERANCE = { weights: 1e-3, metrics: 1e-2 } as const;

const NAMES = { node: 'Node', platform: 'platform', tensorflow: 'TensorFlow', tfjs: 'tfjs', lockfile: 'lockfile', threads: 'threads', timeZone: 'time zone', locale: 'locale' } as const satisfies Record<keyof EnvironmentLock, string>;

export interface ReproductionFacts {
  readonly environment: { readonly then: EnvironmentLock; readonly now: EnvironmentLock };
  /** What the stored definition reads as: another digest now means another release of Perennial. */
  readonly trainingDigest: { readonly then: string; readonly now: string };
  readonly weights: WeightsComparison;
  readonly metrics: { readonly then: ReadonlyMap<string, number | null>; readonly now: ReadonlyMap<string, number | null> };
  /** What the asker allows for weights; null: {@link DEFAULT_TOLERANCE} where several threads trained, else nothing. */
  readonly tolerance: number | null;
}

/** Whether a version that was built again is the one that was registered, and if not, what may be the reason. */
export function judgeReproduction({ environment, trainingDigest, weights, metrics, tolerance }: ReproductionFacts): ReproductionReport {
  const changed = changesOf(environment, trainingDigest);
  const allowed = tolerance !== null ? { ...DEFAULT_TOLERANCE, weights: tolerance } : environment.then.threads === 1 ? null : DEFAULT_TOLERANCE;
  const figures = [...new Set([...metrics.then.keys(), ...metrics.now.keys()])].map((name) => ({ name, then: metrics.then.get(name) ?? null, now: metrics.now.get(name) ?? null }));
  const off = figures.filter(({ then, now }) => then !== now);
  const identical = weights.identical && off.length === 0;
  const near = allowed !== null && weights.largest !== null && weights.largest <= allowed.weights && off.every(({ name, then, now }) => then !== null && now !== null && Math.abs(then - now) <= allowed.metrics * unitOf(name, metrics.then));
  return {
    v: 1, verdict: identical ? 'identical' : near ? 'within-tolerance' : 'different', environment: changed, tolerance: allowed, weights, metrics: figures,
    because: [...changed.map(({ what, then, now }) => `${what} was ${then}, is ${now}`), ...weightsInWords(weights, allowed), ...off.map(({ name, then, now }) => `${name} was ${then ?? 'none'}, is ${now ?? 'none'}`)],
  };
}

/** What a difference of a figure is held against: shares against 1, figures in the target's unit against the mean absolute error of then. */
function unitOf(name: string, then: ReadonlyMap<string, number | null>): number {
  const at = name.lastIndexOf('/') + 1;
  return IN_TARGETS_UNIT.includes(name.slice(at)) ? then.get(`${name.slice(0, at)}mae`) ?? 1 : 1;
}

const IN_TARGETS_UNIT: readonly string[] = ['mae', 'rmse', 'medianAbsoluteError', 'bias'] satisfies readonly (keyof RegressionReport)[];

function changesOf({ then, now }: ReproductionFacts['environment'], digest: ReproductionFacts['trainingDigest']): ReproductionReport['environment'] {
  const text = (value: string | number | null) => (value === null ? 'not set' : String(value));
  const locks = (Object.keys(NAMES) as (keyof EnvironmentLock)[]).filter((key) => then[key] !== now[key]).map((key) => ({ what: NAMES[key], then: text(then[key]), now: text(now[key]) }));
  return digest.then === digest.now ? locks : [...locks, { what: 'training digest of the stored definition', then: digest.then, now: digest.now }];
}

function weightsInWords({ identical, values, differing, largest }: WeightsComparison, allowed: ReproductionReport['tolerance']): string[] {
  if (identical) return [`all ${values} weights are equal bit for bit`];
  if (largest === null) return ['the networks are built differently, or weights are not finite: they cannot be compared'];
  return [`${differing} of ${values} weights differ, by at most ${largest.toPrecision(3)} (${allowed === null ? 'one thread trained it: none may' : `${allowed.weights} is allowed`})`];
}
