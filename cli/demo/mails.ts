import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import PostalMime from 'postal-mime';

export interface ReadMail { readonly file: string; readonly to: string; readonly subject: string; readonly text: string; readonly pictures: number }

/** Mails that the demo's mail server keeps, oldest first. */
export async function readMails(folder: string): Promise<ReadMail[]> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.eml')).sort();
  return Promise.all(files.map(async (file) => {
    const mail = await PostalMime.parse(await readFile(join(folder, file)));
    return { file: join(folder, file), to: mail.to?.[0]?.address ?? '', subject: mail.subject ?? '', text: mail.text ?? '', pictures: mail.attachments.length };
  }));
}

/** Waits for a mail that `wanted` accepts. */
export async function waitForMail(folder: string, what: string, wanted: (mail: ReadMail) => boolean, timeoutMs = 120_000): Promise<ReadMail> {
  for (const until = Date.now() + timeoutMs; ; await sleep(200)) {
    const found = (await readMails(folder)).findLast(wanted);
    if (found) return found;
    if (Date.now() > until) throw new Error(`no mail came within ${timeoutMs / 1000} s: ${what}`);
  }
}
