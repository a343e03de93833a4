import { createRequire } from 'node:module';
import type * as Library from '@duckdb/node-api';

/**
 * DuckDB's library, as the CommonJS that it is. Where it is imported, Node reads each of its 200 files a second time to find the names that they
 * export: more than half of the time until DuckDB can be asked anything.
 */
export const { DuckDBBlobVector, DuckDBDoubleVector, DuckDBInstance, DuckDBListValue, DuckDBVarCharVector } = createRequire(import.meta.url)('@duckdb/node-api') as typeof Library;
