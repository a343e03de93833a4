import type { LineageEdge, LineageNode } from '../../contract/lineage.js';

/** One step away from a node. `edge` points from cause to effect, whichever way the walk goes. */
export interface Step { readonly node: LineageNode; readonly edge: LineageEdge }
export interface Walked { readonly nodes: LineageNode[]; readonly edges: LineageEdge[]; readonly more: string[] }

/**
 * Follows steps from a node, each node once, nearest first. Versions end it once `depth` of them lie between: behind each there is another
 * turn of the loop, and a model that has lived for years has hundreds. Those it stopped at are `more`.
 */
export async function walk(start: LineageNode, steps: (node: LineageNode) => Promise<readonly Step[]>, depth: number): Promise<Walked> {
  const away = new Map([[start.id, 0]]);
  const walked: Walked = { nodes: [start], edges: [], more: [] };
  const waiting = [start];
  for (let node = waiting.shift(); node; node = waiting.shift()) {
    const here = away.get(node.id) ?? 0;
    for (const { node: next, edge } of await steps(node)) {
      walked.edges.push(edge);
      if (away.has(next.id)) continue;
      const there = here + (next.kind === 'version' ? 1 : 0);
      away.set(next.id, there);
      walked.nodes.push(next);
      if (next.kind === 'version' && there >= depth) walked.more.push(next.name);
      else waiting.push(next);
    }
  }
  return walked;
}

/** Both ways from one node in one graph: nodes and edges once, those that are known of an edge's ends only. */
export function join(parts: readonly Walked[]): Walked {
  const nodes = new Map(parts.flatMap((part) => part.nodes.map((node) => [node.id, node] as const)));
  const edges = new Map(parts.flatMap((part) => part.edges.map((edge) => [`${edge.from}\n${edge.to}`, edge] as const)));
  return {
    nodes: [...nodes.values()],
    edges: [...edges.values()].filter(({ from, to }) => nodes.has(from) && nodes.has(to)),
    more: [...new Set(parts.flatMap((part) => part.more))],
  };
}
