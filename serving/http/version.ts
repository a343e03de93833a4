import { ServingError } from '../errors.js';

/** The version that an address names; null where it names none. */
export function versionOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ServingError(404, 'A version is a whole number from 1 on.');
  return Number(text);
}
