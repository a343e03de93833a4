import type { SnapshotManifest } from '../../../contract/snapshot.js';
import { typedColumns } from '../../../definition/columns.js';
import type { Data } from '../../../definition/data.js';
import { replacingActions } from '../../../definition/personal.js';
import { classesOf, taskOf } from '../../../definition/target.js';

/** In what the rows of a frozen set are not what a definition's data is made of, so that its candidates cannot be measured on them; empty where they fit. */
export function misfits(data: Data, { kind, target, image, columns, personal }: SnapshotManifest['content']): string[] {
  if (kind !== data.kind) return [`it is of ${kind === 'images' ? 'pictures' : 'a table'}`];
  const found: string[] = [];
  const [wanted, frozen] = [classesOf(data.target), classesOf(target)];
  if (taskOf(data.target) !== taskOf(target)) found.push(`it is of a ${taskOf(target)}`);
  else if (wanted.join('\n') !== frozen.join('\n')) found.push(`its classes are ${frozen.join(', ')}, those of the definition ${wanted.join(', ')}`);
  if (data.kind === 'images') {
    const { height, width, channels } = data.image;
    if (!image || image.height !== height || image.width !== width || image.channels !== channels) found.push(`its pictures are of another size (${image ? `${image.height} × ${image.width} × ${image.channels}` : 'unknown'}, not ${height} × ${width} × ${channels})`);
    return found;
  }
  const known = new Map(typedColumns(columns ?? []).map((column) => [column.name, column]));
  const actions = replacingActions(data);
  for (const { name, type, nullable } of typedColumns(data.columns)) {
    const column = known.get(name);
    const [asked, made] = [actions[name], personal?.columns[name]];
    if (asked !== made) found.push(`personal data of its column ${name} is ${made === undefined ? 'as it was' : `replaced (${made})`}, that of the definition is ${asked === undefined ? 'not replaced' : `replaced (${asked})`}`);
    if (!column) found.push(`it has no column ${name}`);
    else if (column.type !== type) found.push(`its column ${name} is of type ${column.type}, that of the definition of type ${type}`);
    else if (column.nullable && !nullable) found.push(`values of its column ${name} may be missing, those of the definition may not`);
  }
  return found;
}
