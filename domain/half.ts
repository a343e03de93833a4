/** The largest number that a 16-bit float of IEEE 754 has; from 65520 on numbers are rounded to infinity. */
export const LARGEST_HALF = 65504;

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The nearest 16-bit float of a number (IEEE 754 binary16; of two equally near ones the even one), as its bits. */
export function bitsOfHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const mantissa = bits & 0x7fffff;
  if (exponent === 143) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent < -10) return sign;
  // Below the normal numbers the leading one is written out, and fewer digits are left.
  const [digits, shift, whole] = exponent <= 0 ? [mantissa | 0x800000, 14 - exponent, 0] : [mantissa, 13, exponent << 10];
  const kept = whole | (digits >>> shift);
  const rest = digits & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  // A carry out of the digits makes the exponent one larger, which is right.
  return sign | (kept + (rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0));
}

/** The number that the bits of a 16-bit float stand for. */
export function valueOfHalf(bits: number): number {
  const [sign, exponent, mantissa] = [(bits & 0x8000) === 0 ? 1 : -1, (bits >>> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
