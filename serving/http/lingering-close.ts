import type { IncomingMessage } from 'node:http';

/** Who goes on sending for longer than this is cut off. */
const LINGER_MS = 5_000;

/**
 * To be called before a request is refused. Node closes a connection that is not kept as soon as its answer has left; where the rest of the request still comes in, the system then
 * resets the connection, and what its sender has not read of the answer is lost. So the answer's side is closed first, and what comes is read and thrown away until the request
 * is whole (RFC 9112, 9.6).
 */
export function lingerOnClose(request: IncomingMessage): void {
  if (request.complete) return;
  const { socket } = request;
  const close = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    if (request.complete || socket.destroyed) return close();
    socket.end();
    const cut = setTimeout(() => { socket.destroy(); }, LINGER_MS);
    socket.once('close', () => { clearTimeout(cut); });
    request.once('end', close);
    request.resume();
  };
}
