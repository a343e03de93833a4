/**
 * How Node is started for the compute worker: rows that DuckDB gave out are free memory once Node has cleared up its youngest objects, which it
 * does when they fill this space. With its own setting it holds 100 MB of rows that were looked at already.
 */
export const COMPUTE_ARGUMENTS = ['--max-semi-space-size=2'] as const;
