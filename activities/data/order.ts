/** Order of keys as bytes of UTF-8, which is also DuckDB's; JavaScript's own differs beyond the basic plane. */
export function compareKeys(left: string, right: string): number {
  return left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));
}
