import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** Connections end and new ones are refused at once, as when the process behind is gone. */
  cut(): void;
  /** Connections are taken and nothing is answered, as when the machine behind hangs. */
  hang(): void;
  restore(): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of a real part, so that a test can take the part away without stopping it for others. */
export async function createProxy(targetHost: string, targetPort: number): Promise<Proxy> {
  let mode: 'through' | 'cut' | 'hang' = 'through';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const endAll = () => { for (const socket of sockets) socket.destroy(); };
  const server = createServer((incoming) => {
    keep(incoming);
    if (mode === 'cut') { incoming.destroy(); return; }
    if (mode === 'hang') return;
    const outgoing = keep(connect(targetPort, targetHost));
    incoming.pipe(outgoing).pipe(incoming);
    incoming.once('close', () => outgoing.destroy());
    outgoing.once('close', () => incoming.destroy());
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    port: (server.address() as AddressInfo).port,
    cut() { mode = 'cut'; endAll(); },
    hang() { mode = 'hang'; endAll(); },
    restore() { mode = 'through'; endAll(); },
    async close() {
      endAll();
      await new Promise((settle) => server.close(settle));
    },
  };
}
