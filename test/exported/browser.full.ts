import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../docs/support.js';
import { inChromium } from './chromium.js';
import { createExportScene, distanceOf, rowsOf, type Answer, type ExportScene } from './support.js';

type Kind = 'pictures' | 'photos' | 'table' | 'prices';
type Report = Record<Kind, Answer[]> & { readonly backend: string; readonly agent: string; readonly canvas: Answer[]; readonly refused: string };

const KINDS: Readonly<Record<string, string>> = { js: 'text/javascript', json: 'application/json', html: 'text/html', bin: 'application/octet-stream' };

/** The packages as they are, beside TensorFlow.js in one file, by an import map: nothing is bundled into the application. */
const PAGE = `<!doctype html><script type="importmap">{"imports": {"@tensorflow/tfjs": "/tfjs.js", "pictures": "/node_modules/pictures/browser.js", "table": "/node_modules/table/browser.js", "prices": "/node_modules/prices/browser.js"}}</script>
<script type="module">
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  try {
    const tf = await import('@tensorflow/tfjs');
    const rows = await (await fetch('/rows.json')).json();
    const models = Object.fromEntries(await Promise.all(['pictures', 'table', 'prices'].map(async (name) => [name, await (await import(name)).load()])));
    const [first] = rows.pictures.map(bytes);
    const bitmap = await createImageBitmap(new Blob([first]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const report = {
      pictures: await models.pictures.predict(rows.pictures.map(bytes)), photos: await models.pictures.predict(rows.photos.map((text) => new Blob([bytes(text)]))),
      canvas: await models.pictures.predict([context.getImageData(0, 0, bitmap.width, bitmap.height)]),
      table: await models.table.predict(rows.table), prices: await models.prices.predict(rows.prices), backend: tf.getBackend(), agent: navigator.userAgent,
      refused: await models.table.predict([{ city: 1 }]).catch((error) => error.message),
    };
    await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
  } catch (error) {
    await fetch('/report', { method: 'POST', body: JSON.stringify({ failed: String(error?.stack ?? error) }) });
  }
</script>`;

let scene: ExportScene;
let server: Server;
let url = '';
let reported: Promise<Report>;

beforeAll(async () => {
  scene = await createExportScene();
  await build({ stdin: { contents: 'export * from "@tensorflow/tfjs";', resolveDir: root }, outfile: join(scene.app, 'tfjs.js'), bundle: true, format: 'esm', platform: 'browser', logLevel: 'error' });
  writeFileSync(join(scene.app, 'index.html'), PAGE);
  let report: (found: Report) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  reported = new Promise<Report>((resolve, reject) => { [report, fail] = [resolve, reject]; });
  server = createServer((request, response) => {
    if (request.method === 'POST') {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
        response.end();
        const found = JSON.parse(body) as Report & { failed?: string };
        if (found.failed === undefined) report(found);
        else fail(new Error(found.failed));
      });
      return;
    }
    const path = normalize(request.url === '/' ? '/index.html' : request.url ?? '/');
    response.setHeader('content-type', KINDS[path.split('.').at(-1) ?? ''] ?? 'text/plain');
    createReadStream(join(scene.app, path)).on('error', () => { response.writeHead(404).end(); }).pipe(response);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}, 300_000);
afterAll(async () => {
  server?.close();
  await scene?.close();
});

test('the packages give in a browser what the server gives for the same rows', { timeout: 300_000 }, async () => {
  const { pictures, photos, table, prices, answers } = await rowsOf(scene);
  writeFileSync(join(scene.app, 'rows.json'), JSON.stringify({ pictures: pictures.map((file) => file.toString('base64')), photos: photos.map((file) => file.toString('base64')), table, prices }));
  const found = await inChromium(url, reported);
  expect(found.agent).toContain('Chrome');
  for (const kind of ['pictures', 'photos', 'table', 'prices'] as const) expect([kind, distanceOf(found[kind], answers[kind])]).toEqual([kind, expect.closeTo(0, 4)]);
  expect(distanceOf(found.canvas, answers.pictures.slice(0, 1))).toBeLessThan(1e-4);
  expect(found.refused).toBe('row 0, column city: 1 is not text');
  expect(readFileSync(join(scene.app, 'node_modules', 'pictures', 'browser.js'), 'utf8')).not.toMatch(/from "(node:|sharp)/);
});
