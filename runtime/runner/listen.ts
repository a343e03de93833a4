import { createServer } from 'node:net';
import { once } from 'node:events';
import { HostFrame } from '../../contract/frames.js';
import type { ChildFrame } from '../../contract/frames.js';
import { Channel } from '../frames/channel.js';

export type Send = (frame: ChildFrame, body?: Uint8Array) => Promise<void>;
/** One that asks. `onGone`: it does no more, and waits for nothing. */
export interface Host { readonly onFrame: (frame: HostFrame, body: Uint8Array) => void; readonly onGone: () => void }
/** `received`: bytes that have come from them so far, of whole frames or not. */
export interface Hosts { readonly received: () => number }

/** Takes in further hosts at a socket of the file system: each asks and is answered as the host that started this process is. They come and go; that one's pipe is what it lives by. */
export async function listenForHosts(path: string, answering: (send: Send) => Host): Promise<Hosts> {
  let received = 0;
  const server = createServer((socket) => {
    const channel = new Channel<HostFrame, ChildFrame>(socket, HostFrame, { onFrame: (frame, body) => { host.onFrame(frame, body); }, onClose: () => { host.onGone(); } });
    socket.on('data', (chunk: Uint8Array) => { received += chunk.byteLength; });
    const host = answering((frame, body) => channel.send(frame, body));
  });
  server.listen(path);
  await once(server, 'listening');
  return { received: () => received };
}
