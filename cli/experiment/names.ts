/** For each path the shortest end of it that no other path has: `learningRate`, or `0.config.units` where two layers have units. */
export function shortNames(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const steps = path.split('.');
    const ends = steps.map((_step, index) => steps.slice(steps.length - 1 - index).join('.'));
    return ends.find((end) => paths.filter((other) => other === end || other.endsWith(`.${end}`)).length === 1) ?? path;
  });
}
