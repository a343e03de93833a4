/** Columns that are multiplied with as many others at once: so many sums and values fit a processor's registers. */
const BLOCK = 3;

/**
 * Sums of the products of every two columns, `sums[x * columns + y]` for x < y. Three columns with three others at a time: each value that is
 * read takes part in three products. The sums are declared one by one: taken out of an array, V8 does not keep them as doubles.
 */
export function pairProducts(columns: readonly Float64Array[], rows: number): Float64Array {
  const size = columns.length;
  const sums = new Float64Array(size * size);
  for (let x = 0; x < size; x += BLOCK) {
    for (let y = x; y < size; y += BLOCK) {
      if (y > x && y + BLOCK <= size) blockOf(columns, x, y, rows, sums);
      else ofEach(columns, x, y, rows, sums);
    }
  }
  return sums;
}

/** Blocks on the diagonal, and what is left at the end. */
function ofEach(columns: readonly Float64Array[], fromX: number, fromY: number, rows: number, sums: Float64Array): void {
  const size = columns.length;
  for (let x = fromX; x < Math.min(size, fromX + BLOCK); x += 1) {
    for (let y = Math.max(x + 1, fromY); y < Math.min(size, fromY + BLOCK); y += 1) sums[x * size + y] = productOf(columns[x] as Float64Array, columns[y] as Float64Array, rows);
  }
}

/** Four sums at a time, since each addition waits for the one before it. */
function productOf(a: Float64Array, b: Float64Array, rows: number): number {
  let one = 0;
  let two = 0;
  let three = 0;
  let four = 0;
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    one += (a[row] as number) * (b[row] as number);
    two += (a[row + 1] as number) * (b[row + 1] as number);
    three += (a[row + 2] as number) * (b[row + 2] as number);
    four += (a[row + 3] as number) * (b[row + 3] as number);
  }
  for (; row < rows; row += 1) one += (a[row] as number) * (b[row] as number);
  return one + two + three + four;
}

function blockOf(columns: readonly Float64Array[], x: number, y: number, rows: number, sums: Float64Array): void {
  const [a, b, c] = [columns[x] as Float64Array, columns[x + 1] as Float64Array, columns[x + 2] as Float64Array];
  const [d, e, f] = [columns[y] as Float64Array, columns[y + 1] as Float64Array, columns[y + 2] as Float64Array];
  let ad = 0;
  let ae = 0;
  let af = 0;
  let bd = 0;
  let be = 0;
  let bf = 0;
  let cd = 0;
  let ce = 0;
  let cf = 0;
  for (let row = 0; row < rows; row += 1) {
    const ofA = a[row] as number;
    const ofB = b[row] as number;
    const ofC = c[row] as number;
    const ofD = d[row] as number;
    const ofE = e[row] as number;
    const ofF = f[row] as number;
    ad += ofA * ofD;
    ae += ofA * ofE;
    af += ofA * ofF;
    bd += ofB * ofD;
    be += ofB * ofE;
    bf += ofB * ofF;
    cd += ofC * ofD;
    ce += ofC * ofE;
    cf += ofC * ofF;
  }
  const size = columns.length;
  sums.set([ad, ae, af], x * size + y);
  sums.set([bd, be, bf], (x + 1) * size + y);
  sums.set([cd, ce, cf], (x + 2) * size + y);
}
