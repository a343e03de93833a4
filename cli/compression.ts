import type { CompressionReport } from '../contract/compression.js';
import { variantColumns, variantRows } from '../domain/compression.js';
import { table } from './table.js';

/** The variants of a network with what each costs and loses, and why one was taken. */
export function compressionText(report: CompressionReport): string {
  return `${table(variantColumns(report).map((name) => name.toUpperCase()), variantRows(report))}\n${report.because}`;
}
