import { connect } from 'node:net';

/** The first bytes a TCP server says of itself, as text; rejects where nobody listens or nothing comes in time. */
export async function greeting(host: string, port: number, timeoutMs = 2_000): Promise<string> {
  return new Promise((settle, fail) => {
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${host}:${port} said nothing within ${timeoutMs} ms`)));
    socket.once('error', fail);
    socket.once('data', (bytes) => {
      socket.end();
      settle(bytes.toString('utf8'));
    });
    socket.once('end', () => fail(new Error(`${host}:${port} closed the connection without a greeting`)));
  });
}
