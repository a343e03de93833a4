import { PerennialError } from '../../contract/errors.js';
import type { SnapshotTarget } from '../../contract/snapshot.js';

/** What training learns of each row: the index of its class, or its target as the network sees it. */
export type Labels = Uint16Array | Float32Array;

export interface Scaling { readonly offset: number; readonly scale: number }

export function createLabels(target: SnapshotTarget, length: number): Labels {
  return target.task === 'regression' ? new Float32Array(length) : new Uint16Array(length);
}

/** Reads the label of a snapshot's row: a class's index, or a number. Anything else is `data/blocked`, and names the row. */
export function labelReader(target: SnapshotTarget): (value: unknown, key: string) => number {
  const blocked = (key: string, value: unknown, expected: string) => new PerennialError('data/blocked', `row '${key}': '${String(value)}' is not ${expected}`, { key });
  if (target.task === 'regression') {
    return (value, key) => {
      if (typeof value !== 'number' || !Number.isFinite(value)) throw blocked(key, value, `a finite number, as the target ${target.name} has to be`);
      return value;
    };
  }
  const indexes = new Map(target.classes.map((name, index) => [name, index]));
  return (value, key) => {
    const index = typeof value === 'string' ? indexes.get(value) : undefined;
    if (index === undefined) throw blocked(key, value, 'a class of the definition');
    return index;
  };
}
