import type { Rows } from '../protocol/rows.js';

/** Some rows of a request, by their places. */
export function selectRows(rows: Rows, places: readonly number[]): Rows {
  const shared = { count: places.length, shape: rows.shape };
  if (rows.datatype === 'CELLS') return { ...shared, datatype: rows.datatype, input: places.map((place) => rows.input[place] ?? []), logged: places.map((place) => rows.logged[place] ?? new Uint8Array()) };
  const bytes = rows.input.length / rows.count;
  const input = new Uint8Array(places.length * bytes);
  places.forEach((place, at) => { input.set(rows.input.subarray(place * bytes, (place + 1) * bytes), at * bytes); });
  return { ...shared, datatype: rows.datatype, input };
}
