import dagre from '@dagrejs/dagre';
import type { Lineage, LineageKind, LineageNode } from '../../contract/lineage.js';
import { escapeMarkup } from '../../domain/markup.js';
import { px, svgDocument, widthOf } from '../svg.js';

const LINE = 16;
const PADDING = 10;
const LONGEST = 44;

/** One hue for each kind, told by name as well: the kind stands above each box's name. */
const HUES = {
  source: 210, view: 85, predictions: 190, snapshot: 230, commit: 270, finding: 15, run: 45, version: 140, environment: 160, scores: 320, reproduction: 290,
} as const satisfies Record<LineageKind, number>;

interface Placed { readonly node: LineageNode; readonly text: readonly string[]; readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** The graph as an SVG document, causes to the left of their effects, for light and dark screens alike. */
export function lineagePicture(lineage: Lineage): string {
  const graph = new dagre.graphlib.Graph().setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 60, marginx: 16, marginy: 16 }).setDefaultEdgeLabel(() => ({}));
  const texts = new Map(lineage.nodes.map((node) => [node.id, [node.kind, node.name.replace(`${node.kind} `, ''), ...node.lines].map(cut)]));
  for (const { id } of lineage.nodes) {
    const text = texts.get(id) ?? [];
    graph.setNode(id, { width: Math.max(...text.map(widthOf)) + 2 * PADDING, height: text.length * LINE + 2 * PADDING });
  }
  for (const { from, to, how } of lineage.edges) graph.setEdge(from, to, { width: widthOf(how), height: LINE, labelpos: 'c' });
  dagre.layout(graph);

  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const boxes = lineage.nodes.map((node) => box({ node, text: texts.get(node.id) ?? [], ...graph.node(node.id) as { x: number; y: number; width: number; height: number } }, node.id === lineage.of));
  const arrows = lineage.edges.map(({ from, to, how }) => arrow(graph.edge(from, to) as { points: { x: number; y: number }[]; x: number; y: number }, how));
  const tip = '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>';
  const of = lineage.nodes.find(({ id }) => id === lineage.of)?.name ?? lineage.of;
  return svgDocument({ title: `Lineage of ${of}`, width, height, styles: styles(), dark: 'g rect{fill:hsl(var(--hue) 35% 20%);stroke:hsl(var(--hue) 45% 60%)}', body: [tip, ...arrows, ...boxes] });
}

function box({ node, text, x, y, width, height }: Placed, focus: boolean): string {
  const [left, top] = [x - width / 2, y - height / 2];
  const lines = text.map((line, index) => `<text x="${px(left + PADDING)}" y="${px(top + PADDING + (index + 0.75) * LINE)}" class="${['quiet', 'name'][index] ?? 'line'}">${escapeMarkup(line)}</text>`);
  return `<g class="${node.kind}${focus ? ' focus' : ''}"><title>${escapeMarkup([node.kind, node.name, ...node.lines, ...(node.at ? [node.at] : [])].join('\n'))}</title><rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" rx="6"/>${lines.join('')}</g>`;
}

function arrow({ points, x, y }: { points: { x: number; y: number }[]; x: number; y: number }, how: string): string {
  const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${px(point.x)} ${px(point.y)}`).join('');
  return `<path class="arrow" d="${path}" marker-end="url(#tip)"/><text class="how quiet" x="${px(x)}" y="${px(y - 4)}">${escapeMarkup(how)}</text>`;
}

function styles(): string {
  const hues = Object.entries(HUES).map(([kind, hue]) => `.${kind}{--hue:${hue}}`).join('');
  return `${hues}.name{font-weight:700}.how{text-anchor:middle}g rect{fill:hsl(var(--hue) 60% 94%);stroke:hsl(var(--hue) 45% 45%)}.focus rect{stroke-width:3}.arrow{fill:none;stroke:#777}.tip{fill:#777}`;
}

const cut = (line: string) => (line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line);
