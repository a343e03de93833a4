/**
 * How Node is started for the compute worker: rows that DuckDB gave out are free memory once Node has cleared up its youngest objects, which it
 * does when they fill this space. With its own setting it holds 100 MB of rows that were looked at already.
 */
export const COMPUTE_ARGUMENTS = ['--max-semi-space-size=2'] as const;

/**
 * How it is started for a prediction server. Node would give its youngest objects 16 MB, which is more than a small heap is allowed to grow by: then it goes
 * through the whole heap more than once a second, 15 to 30 ms each time, in which nobody is answered. With 4 MB it hardly ever does.
 */
export const SERVER_ARGUMENTS = ['--max-semi-space-size=4'] as const;
