import pg from 'pg';

type Handler = (payload: string) => void;
export interface Listener {
  listen(channel: string, handler: Handler): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;
const quoted = (channel: string) => `"${channel.replaceAll('"', '""')}"`;

/** One connection for all LISTENs of a process. A lost one is made again, for as long as anyone listens. */
export function createListener(connection: pg.ClientConfig): Listener {
  const handlers = new Map<string, Set<Handler>>();
  let client: pg.Client | undefined;
  let connecting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs = FIRST_DELAY_MS;
  let wasLost = false;
  let closed = false;

  function drop(lost: pg.Client): void {
    if (client === lost) client = undefined;
    lost.removeAllListeners('notification');
    lost.end().catch(() => undefined); // it is broken already; ending it only frees the socket
    retryLater();
  }

  function retryLater(): void {
    wasLost = true;
    if (closed || timer !== undefined || handlers.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      void connect();
    }, delayMs);
    timer.unref();
    delayMs = Math.min(delayMs * 2, LAST_DELAY_MS);
  }

  function connect(): Promise<void> {
    connecting ??= open().finally(() => { connecting = undefined; });
    return connecting;
  }

  /** Never throws: a failure is tried again later, and pollers behind the notifications notice an absent server themselves. */
  async function open(): Promise<void> {
    const fresh = new pg.Client(connection);
    let gone = false;
    const lose = () => {
      if (gone) return;
      gone = true;
      drop(fresh);
    };
    fresh.on('error', lose);
    fresh.on('end', lose);
    fresh.on('notification', ({ channel, payload }) => { for (const handler of handlers.get(channel) ?? []) handler(payload ?? ''); });
    try {
      await fresh.connect();
      for (const channel of handlers.keys()) await fresh.query(`listen ${quoted(channel)}`);
    } catch {
      lose();
      return;
    }
    if (closed || gone) return lose();
    client = fresh;
    delayMs = FIRST_DELAY_MS;
    if (!wasLost) return;
    wasLost = false;
    for (const channel of handlers.values()) for (const handler of channel) handler('');
  }

  async function say(statement: 'listen' | 'unlisten', channel: string): Promise<void> {
    const present = client;
    if (present === undefined) return connect();
    try {
      await present.query(`${statement} ${quoted(channel)}`);
    } catch {
      drop(present); // a new connection listens to what is wanted then
    }
  }

  return {
    async listen(channel, handler) {
      if (connecting !== undefined) await connecting;
      const known = handlers.get(channel);
      const own: Handler = (payload) => handler(payload);
      if (known === undefined) {
        handlers.set(channel, new Set([own]));
        await say('listen', channel);
      } else {
        known.add(own);
      }
      return async () => {
        const present = handlers.get(channel);
        if (!present?.delete(own) || present.size > 0) return;
        handlers.delete(channel);
        if (client !== undefined) await say('unlisten', channel);
      };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      handlers.clear();
      if (connecting !== undefined) await connecting;
      const last = client;
      client = undefined;
      if (last === undefined) return;
      last.removeAllListeners('end');
      await last.end();
    },
  };
}
