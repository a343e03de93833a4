import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { s3Ports, s3Program } from '../../infra/stack/s3.js';

const servers: Server[] = [];

/** An inner interface of the store that answers with `body`, in the shapes that SeaweedFS 4.48 was seen to give. */
async function answering(body: () => unknown): Promise<number> {
  const server = createServer((_, response) => response.end(JSON.stringify(body())));
  servers.push(server);
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test('a store whose bucket is there is ready only when its master knows every volume that its volume server holds', async () => {
  let nodes: { Url: string; Volumes: number }[] | null = null;
  const ports = Object.fromEntries(s3Ports.map((name) => [name, 0])) as Record<(typeof s3Ports)[number], number>;
  ports.s3 = await answering(() => ({}));
  ports.volume = await answering(() => ({ Volumes: [{ Id: 1 }, { Id: 2 }] }));
  ports.master = await answering(() => ({ Topology: { DataCenters: nodes === null ? null : [{ Racks: [{ DataNodes: nodes }] }] } }));
  const { readiness } = s3Program({ executable: 'weed', dataDir: '.', ports, accessKeyId: 'id', secretAccessKey: 'secret', internalKey: 'key' });
  if (readiness.kind !== 'probe') throw new Error('the store is asked');
  const ready = () => readiness.check();

  expect(await ready()).toBe(false);
  nodes = [];
  expect(await ready()).toBe(false);
  nodes = [{ Url: `127.0.0.1:${ports.volume + 1}`, Volumes: 2 }];
  expect(await ready()).toBe(false);
  nodes = [{ Url: `127.0.0.1:${ports.volume}`, Volumes: 1 }];
  expect(await ready()).toBe(false);
  nodes = [{ Url: `127.0.0.1:${ports.volume}`, Volumes: 2 }];
  expect(await ready()).toBe(true);
});
