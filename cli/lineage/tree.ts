import type { Lineage, LineageNode } from '../../contract/lineage.js';
import type { Paint } from '../io.js';
import { moment } from '../table.js';

/** A lineage as two indented trees: what the node came from, and what came of it. A node with several ways to it is told once, then named. */
export function lineageTree({ nodes, edges, of, more }: Lineage, paint: Paint): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const focus = byId.get(of);
  if (!focus) return 'nothing is known of it';
  const tree = (next: (id: string) => { id: string; how: string }[]) => {
    const told = new Set<string>();
    const branch = (id: string, depth: number): string[] => next(id).flatMap(({ id: other, how }) => {
      const node = byId.get(other);
      if (!node) return [];
      const again = told.has(other);
      told.add(other);
      return [`${'  '.repeat(depth)}${paint.dim(`${how}:`)} ${nodeLine(node, paint, again)}`, ...(again ? [] : branch(other, depth + 1))];
    });
    const lines = branch(of, 1);
    return lines.length > 0 ? lines : ['  nothing'];
  };
  return [
    nodeLine(focus, paint, false), '',
    paint.bold('came from'), ...tree((id) => edges.filter(({ to }) => to === id).map(({ from, how }) => ({ id: from, how }))), '',
    paint.bold('led to'), ...tree((id) => edges.filter(({ from }) => from === id).map(({ to, how }) => ({ id: to, how }))),
    ...(more.length > 0 ? ['', paint.dim(`goes on behind ${more.join(', ')}: --depth shows more`)] : []),
  ].join('\n');
}

function nodeLine({ name, at, lines }: LineageNode, paint: Paint, again: boolean): string {
  if (again) return `${name} ${paint.dim('(as above)')}`;
  return [paint.bold(name), ...(lines.length > 0 ? [lines.join(', ')] : []), ...(at ? [paint.dim(moment(at))] : [])].join('  ');
}
