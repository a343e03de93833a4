import { PerennialError } from '../contract/errors.js';

interface ServiceError { readonly name: string; readonly $metadata?: { readonly httpStatusCode?: number } }

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as Error & ServiceError).$metadata?.httpStatusCode : undefined;
}

/** What S3 said, or did not say, as an error of the registry: `storage/missing`, `storage/digest-mismatch`, `storage/unavailable`. */
export function translateStorageError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof PerennialError) return error;
  const status = statusOf(error);
  const said = error.message || error.name;
  if (error.name === 'BadDigest' || error.name === 'XAmzContentChecksumMismatch') return new PerennialError('storage/digest-mismatch', `${doing}: S3 refused the bytes, they arrived damaged`, {}, { cause: error });
  if (error.name === 'NoSuchKey' || (status === 404 && error.name !== 'NoSuchBucket')) return new PerennialError('storage/missing', `${doing}: there is no such object`, {}, { cause: error });
  const network = 'code' in error && typeof error.code === 'string';
  if (status === undefined && !network && error.name !== 'TimeoutError') return error; // not of S3: a local file, a mistake in the program
  if (network && isOfFile(error)) return error;
  return new PerennialError('storage/unavailable', `${doing}: ${status === undefined ? `S3 did not answer (${said})` : `S3 answered ${status} (${said})`}`, {}, { cause: error });
}

function isOfFile(error: Error): boolean {
  return 'syscall' in error && typeof error.syscall === 'string' && ['open', 'read', 'write', 'rename', 'stat', 'mkdir', 'unlink', 'fsync'].includes(error.syscall);
}
