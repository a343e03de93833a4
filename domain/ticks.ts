/** A scale that begins and ends at round numbers, with about `count` of them between (1, 2 or 5 times a power of ten apart: Heckbert, Graphics Gems, 1990). */
export function ticks(least: number, most: number, count: number): { from: number; to: number; at: number[]; text: (value: number) => string } {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = power * ([1, 2, 5].find((times) => span / (power * times) <= count) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const [first, last] = [Math.floor(least / step), Math.max(Math.ceil(most / step), Math.floor(least / step) + 1)];
  const at = Array.from({ length: last - first + 1 }, (_none, index) => Number(((first + index) * step).toFixed(digits)));
  return { from: at[0] ?? least, to: at.at(-1) ?? most, at, text: (value) => value.toFixed(digits) };
}
