import { createServer } from 'node:net';
import { utimesSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { choosePorts, isPortFree, portsOfOthers } from '../../infra/stack/ports.js';

const homes = Array.from({ length: 6 }, (_, index) => `/home/of-stack-${process.pid}-${index}`);
const [one = '', other = ''] = homes;

test('stacks that start at the same time choose other ports, though nothing listens yet', async () => {
  const { preferred } = await choosePorts(['preferred'], undefined, { home: 'whoever' });
  const chosen = await Promise.all(homes.map((home) => choosePorts(['gateway', 'server'], undefined, { home, preferred: { gateway: preferred + 1, server: preferred + 2 } })));
  const ports = chosen.flatMap((of) => Object.values(of));
  expect(new Set(ports).size).toBe(ports.length);
});

test('a stack keeps its own port, and one that was chosen for a stack that never came is given away later', async () => {
  const { port } = await choosePorts(['port'], undefined, { home: one });
  expect(await choosePorts(['port'], { port }, { home: one })).toEqual({ port });
  expect(await choosePorts(['port'], { port }, { home: other })).not.toEqual({ port });
  const claim = join(tmpdir(), `perennial-ports-${userInfo().uid}`, String(port));
  const past = (Date.now() - 600_000) / 1000;
  utimesSync(claim, past, past);
  expect(await choosePorts(['port'], { port }, { home: other })).toEqual({ port });
});

test('a port on which something listens is never chosen', async () => {
  const { port } = await choosePorts(['port'], undefined, { home: one });
  const server = createServer();
  await new Promise<void>((settle) => server.listen(port, '127.0.0.1', settle));
  try {
    expect(await isPortFree(port)).toBe(false);
    expect(await choosePorts(['port'], { port }, { home: one })).not.toEqual({ port });
  } finally {
    server.close();
  }
});

test('a part is not given the port of another part of its stack that does not listen yet', async () => {
  const { port } = await choosePorts(['port'], undefined, { home: one });
  const stack = { ports: { postgres: { postgres: port }, s3: { s3: port } } };
  const taken = portsOfOthers(stack, 's3');
  expect(taken).toEqual([port]);
  expect(await choosePorts(['s3'], stack.ports.s3, { home: one, taken })).not.toEqual({ s3: port });
  expect(await choosePorts(['s3'], { s3: port - 100 }, { home: one, taken, companions: { s3: 100 } })).not.toEqual({ s3: port - 100 });
});
