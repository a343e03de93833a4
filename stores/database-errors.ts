import { PerennialError } from '../contract/errors.js';

const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE']);
/** Classes of SQLSTATE for a server that cannot work now: connection, resources, operator intervention, system error; and for a refused login. */
const classes = new Set(['08', '28', '3D', '53', '57', '58']);
/** A statement over its time limit, and a write on a standby during a failover. */
const codes = new Set(['25006', '25P03']);
const notOurs = new Set(['57014']);
const messages = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|not queryable|Cannot use a pool after calling end/;

export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True where the same transaction may well succeed at once: the server chose it to end a deadlock or a conflict of snapshots. */
export function isTransient(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01';
}

/** A lost or refused connection becomes `database/unavailable`; what the server says about a statement stays as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PerennialError) return error;
  const code = sqlState(error);
  const away = code === undefined || code === ''
    ? messages.test(error.message)
    : network.has(code) || codes.has(code) || (classes.has(code.slice(0, 2)) && code.length === 5 && !notOurs.has(code));
  if (!away) return error;
  const what = error.message || code || 'no answer';
  return new PerennialError('database/unavailable', `PostgreSQL did not answer: ${what}`, code ? { code } : {}, { cause: error });
}
