import { createServer } from 'node:net';
import { once } from 'node:events';
import { HostFrame } from '../../contract/frames.js';
import type { ChildFrame } from '../../contract/frames.js';
import { Channel } from '../frames/channel.js';

export type Send = (frame: ChildFrame, body?: Uint8Array) => Promise<void>;
export type OnHostFrame = (frame: HostFrame, body: Uint8Array) => void;

/** Takes in further hosts at a socket of the file system: each asks and is answered as the host that started this process is. They come and go; that one's pipe is what it lives by. */
export async function listenForHosts(path: string, answering: (send: Send) => OnHostFrame): Promise<void> {
  const server = createServer((socket) => {
    const channel = new Channel<HostFrame, ChildFrame>(socket, HostFrame, { onFrame: (frame, body) => { onFrame(frame, body); }, onClose: () => undefined });
    const onFrame = answering((frame, body) => channel.send(frame, body));
  });
  server.listen(path);
  await once(server, 'listening');
}
