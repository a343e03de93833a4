import { escapeMarkup } from '../domain/markup.js';

/** Lines of an SVG picture: size of its letters in px, and the width of one as a share of that (monospaced). */
export const FONT = 12;
export const LETTER = 0.61;

export const px = (value: number): string => String(Math.round(value * 10) / 10);

export const widthOf = (text: string): number => text.length * FONT * LETTER;

/** An SVG document with a title for those who hear it, and `styles` for light and `dark` screens. */
export function svgDocument({ title, width, height, styles, dark, body }: { title: string; width: number; height: number; styles: string; dark: string; body: readonly string[] }): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}" role="img" aria-labelledby="title">
<title id="title">${escapeMarkup(title)}</title>
<style>:root{color-scheme:light dark}text{font:${FONT}px ui-monospace,Menlo,Consolas,monospace;fill:#1c1c1c}.quiet{fill:#5c5c5c}.page{fill:#fff}
${styles}
@media(prefers-color-scheme:dark){text{fill:#eee}.quiet{fill:#b0b0b0}.page{fill:#161616}${dark}}</style>
<rect class="page" width="100%" height="100%"/>
${body.join('\n')}
</svg>
`;
}
