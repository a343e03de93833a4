import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { exchange } from '../../cli/api.js';

test('a server whose certificate nobody here trusts is told from one that is away', async () => {
  const file = (name: string) => readFile(new URL(`../serving/tls/${name}.pem`, import.meta.url));
  const server = createServer({ cert: await file('first.cert'), key: await file('first.key') }, (_, response) => { response.end(); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(exchange(url, {}, url, 'server')).rejects.toMatchObject({ code: 'server/certificate', message: `the certificate of the server at ${url} is not trusted (self-signed certificate)`, next: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string });
  await new Promise((resolve) => { server.close(resolve); });
  await expect(exchange(url, {}, url, 'server')).rejects.toMatchObject({ code: 'server/unavailable' });
});
