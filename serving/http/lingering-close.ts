import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Who goes on sending for longer than this is cut off. */
const LINGER_MS = 5_000;

function cutOffLater(socket: Socket): void {
  const cut = setTimeout(() => { socket.destroy(); }, LINGER_MS);
  socket.once('close', () => { clearTimeout(cut); });
}

const lingering = new WeakSet<Socket>();
export const isLingering = (socket: Socket): boolean => lingering.has(socket);

/** To be called once the last answer of a connection was written whose sender may go on sending: what comes is read and thrown away until its end. */
export function lingerOnEnd(socket: Socket): void {
  lingering.add(socket);
  cutOffLater(socket);
  // Whoever takes this one in takes it from the parser, which has given up, and would never see the end.
  socket.on('data', () => undefined);
}

/** The request of a connection that was refused last: a connection that is kept may have many, and is changed once. */
const refused = new WeakMap<Socket, IncomingMessage>();

/**
 * To be called before a request is refused. Node closes a connection that is not kept as soon as its answer has left; where the rest of the request still comes in, the system then
 * resets the connection, and what its sender has not read of the answer is lost. So the answer's side is closed first, and what comes is read and thrown away until the request
 * is whole (RFC 9112, 9.6).
 */
export function lingerOnClose(request: IncomingMessage): void {
  if (request.complete) return;
  const { socket } = request;
  const isChanged = refused.has(socket);
  refused.set(socket, request);
  if (isChanged) return;
  const close = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    const last = refused.get(socket);
    if (!last || last.complete || socket.destroyed) return close();
    socket.end();
    cutOffLater(socket);
    last.once('end', close);
    last.resume();
  };
}
