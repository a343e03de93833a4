import { PerennialError, type ErrorCode } from '../contract/errors.js';

/** An error in a form that crosses threads and processes; `code` of an error of the registry. */
export interface ToldError { readonly message: string; readonly code: ErrorCode | null }

export function tellError(error: unknown): ToldError {
  return { message: error instanceof Error ? error.message : String(error), code: error instanceof PerennialError ? error.code : null };
}

/** The error, as far as it was told. */
export function errorOf({ message, code }: ToldError): Error {
  return code === null ? new Error(message) : new PerennialError(code, message);
}
