import type { Worker } from 'node:cluster';
import { z } from 'zod';

/** What node:cluster sends with a connection that it hands to a process, and what the process answers once it has it. */
const HandedOver = z.object({ cmd: z.literal('NODE_CLUSTER'), act: z.literal('newconn'), seq: z.number() });
const Taken = z.object({ cmd: z.literal('NODE_CLUSTER'), ack: z.number() });

/**
 * Has another process take the connections that were on their way to this one when it ended. node:cluster keeps such a connection open and forgets it, so that its
 * caller would wait for ever: it goes to another process only where the one that it was handed to says that it does not take it. That is what is said here for
 * a process that cannot say it any more. Nothing of the connection is lost: a process says that it has it before it reads from it, and what it said is heard before its channel closes.
 * `others`: whether there are any; where there are none, the connection is closed.
 */
export function takeBackConnections({ process: child }: Worker, others: () => boolean): void {
  const onTheWay = new Map<number, unknown>();
  // oxlint-disable-next-line typescript/unbound-method -- called on what the proxy is called on
  child.send = new Proxy(child.send, {
    apply(send, of, parameters: unknown[]) {
      const message = HandedOver.safeParse(parameters[0]).data;
      if (message) onTheWay.set(message.seq, parameters[1]);
      const sent: unknown = Reflect.apply(send, of, parameters);
      return sent;
    },
  });
  child.on('internalMessage', (message: unknown) => {
    const seq = Taken.safeParse(message).data?.ack;
    if (seq !== undefined) onTheWay.delete(seq);
  });
  child.once('close', () => { // of the process and of its channel; with a connection on the way there is no 'disconnect'
    for (const [seq, connection] of onTheWay) {
      if (others()) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
      else if (isClosable(connection)) connection.close();
    }
    onTheWay.clear();
  });
}

const isClosable = (value: unknown): value is { close(): void } => typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
