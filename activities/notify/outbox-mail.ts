import { z } from 'zod';
import type { ActivityDeps } from '../deps.js';

/** A mail as the outbox keeps it. Pictures inside `html` are data URIs; the sender turns them into attachments that mail programs show. */
export const Mail = z.strictObject({ from: z.string(), to: z.array(z.string()).min(1), subject: z.string(), text: z.string(), html: z.string().optional() });
export type Mail = z.infer<typeof Mail>;

/** Mails leave through the outbox under deterministic ids: at least once, and no duplicate without a crash while sending. */
export function createOutboxMail({ stores, mailFrom }: ActivityDeps) {
  return {
    async enqueue({ id, ...mail }: { id: string } & Omit<Mail, 'from'>): Promise<void> {
      await stores.outbox.enqueue({ id, kind: 'mail', payload: Mail.parse({ from: mailFrom, ...mail }) });
    },
  };
}
