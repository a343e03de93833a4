import { createTransport } from 'nodemailer';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256Hex } from '../../domain/digest.js';
import type { Stores } from '../../stores/index.js';
import { Mail } from './outbox-mail.js';

const BATCH = 10;
const LEASE_MS = 60_000;
const IDLE_MS = 300;

/**
 * Sends what the outbox holds. An entry is leased while it is being sent, so that several senders share the work; its
 * Message-ID is made of its id, so that a mail sent twice (a crash between sending and recording) is recognised as one.
 */
export function createMailSender({ stores, smtpUrl, log }: { stores: Stores; smtpUrl: string; log: (message: string) => void }) {
  const transport = createTransport(smtpUrl, {});
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      const sent = await sendBatch().catch((error: unknown) => { log(`outbox: ${String(error)}`); return 0; });
      if (sent === 0) await sleep(IDLE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();

  async function sendBatch(): Promise<number> {
    const entries = await stores.outbox.claim(BATCH, LEASE_MS);
    for (const entry of entries) {
      try {
        const mail = Mail.parse(entry.payload);
        await transport.sendMail({ ...mail, messageId: `<${sha256Hex(entry.id).slice(0, 32)}@perennial>`, attachDataUrls: true });
        await stores.outbox.sent(entry.id);
      } catch (error) {
        log(`mail ${entry.id} was not accepted, it is tried again: ${String(error)}`);
        await stores.outbox.failed(entry.id, String(error));
      }
    }
    return entries.length;
  }

  return {
    async close(): Promise<void> {
      stop.abort();
      await loop;
      transport.close();
    },
  };
}
