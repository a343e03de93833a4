/** Rows by their class: those of class i are in `order` before `ends[i]`, behind those of the class before. */
export interface RowsByClass { readonly order: Int32Array; readonly ends: Int32Array }

/** Sorts rows by their class, of so many. @param classes of the rows; -1: none */
export function rowsByClass(ofRows: Int32Array, rows: number, classes: number): RowsByClass {
  const ends = new Int32Array(classes);
  for (let row = 0; row < rows; row += 1) {
    const at = ofRows[row] as number;
    if (at >= 0) ends[at] = (ends[at] as number) + 1;
  }
  for (let at = 1; at < ends.length; at += 1) ends[at] = (ends[at] as number) + (ends[at - 1] as number);
  const order = new Int32Array(rows);
  // Each class is filled from its end.
  const free = ends.slice();
  for (let row = rows - 1; row >= 0; row -= 1) {
    const at = ofRows[row] as number;
    if (at >= 0) order[free[at] = (free[at] as number) - 1] = row;
  }
  return { order, ends };
}
