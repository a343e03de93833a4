import { PerennialError } from '../../contract/errors.js';

type Target = { readonly task?: 'classification' | undefined; readonly classes: readonly string[] } | { readonly task: 'regression' };

/** Labels mean the same only where the task is, and the list of classes; `whose` names the owner of the first. */
export function requireSameTarget(own: Target, snapshot: Target, whose: string): void {
  const [found, wanted] = [describe(own), describe(snapshot)];
  if (found !== wanted) throw new PerennialError('data/blocked', `the ${whose} has ${found}, the snapshot ${wanted}`);
}

function describe(target: Target): string {
  return target.task === 'regression' ? 'a number as its target' : `the classes ${target.classes.join(', ')}`;
}
