import { PerennialError } from '../../contract/errors.js';
import type { Signature } from '../../contract/package.js';

/** Refuses, with every reason at once, a version whose predictions need what does not leave the servers. Throws `export/unsupported`. */
export function refuseUnportable(name: string, { inputs, lookups = [] }: Signature): void {
  const problems = [
    ...lookups.map(({ view, columns }) => `the columns ${columns.map(({ input }) => input).join(', ')} are looked up in the feature view ${view}, which only servers reach`),
    ...inputs.flatMap(({ name: column, personal }) => (personal ? [`the values of ${column} are replaced by pseudonyms with the secret key ${personal.key}, which must not leave the servers`] : [])),
  ];
  if (problems.length > 0) throw new PerennialError('export/unsupported', `${name} cannot be exported: ${problems.join('; ')}`, { problems });
}
