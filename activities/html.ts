import { escapeMarkup } from '../domain/markup.js';

/** A share 0..1 as a percentage with one decimal; a dash for what could not be computed. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)}%`;
}

/** Rows of plain text as an HTML table; `mark` names a row's class (`pass`, `fail`, …). */
export function table(head: readonly string[], rows: readonly (readonly string[])[], mark: (row: readonly string[]) => string = () => ''): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) => row.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join('');
  return `<table><tr>${cells('th', head)}</tr>${rows.map((row) => `<tr class="${escapeMarkup(mark(row))}">${cells('td', row)}</tr>`).join('')}</table>`;
}
