import { PerennialError } from '../../contract/errors.js';

/** Class indexes mean the same only where the lists are equal; `whose` names the owner of the first. */
export function requireSameClasses(own: readonly string[], snapshot: readonly string[], whose: string): void {
  if (own.length === snapshot.length && own.every((name, index) => name === snapshot[index])) return;
  throw new PerennialError('data/blocked', `the ${whose} has the classes ${own.join(', ')}, the snapshot ${snapshot.join(', ')}`);
}
