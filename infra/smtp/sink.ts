import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import { ensurePrivateFolder, replaceFile } from '../stack/files.js';
import { loopback } from '../stack/ports.js';

const maxMailBytes = 25 * 1024 * 1024;

export interface MailSink {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A mail server that delivers nothing: every mail it takes is a file `<time>_<message id>.eml` in `dir`, as it came over the wire.
 * A mail with a Message-ID that is there already replaces that file, so sending twice leaves one.
 */
export async function createMailSink({ port, dir }: { port: number; dir: string }): Promise<MailSink> {
  await ensurePrivateFolder(dir);
  const server = new SMTPServer({
    banner: 'Perennial keeps mails, it does not deliver them',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: maxMailBytes,
    onData: (stream, _session, answer) => {
      keep(stream, dir).then((file) => answer(null, `kept as ${file}`), (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))));
    },
  });
  server.on('error', (error) => process.stderr.write(`${new Date().toISOString()} ${error.message}\n`));
  const listener = await new Promise<AddressInfo>((settle, fail) => {
    server.server.once('error', fail);
    server.listen(port, loopback, () => {
      server.server.off('error', fail);
      settle(server.server.address() as AddressInfo);
    });
  });
  return { port: listener.port, close: () => new Promise<void>((settle) => void server.close(() => settle())) };
}

async function keep(stream: SMTPServerDataStream, dir: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) if (!stream.sizeExceeded) chunks.push(chunk);
  if (stream.sizeExceeded) throw Object.assign(new Error(`mail is larger than ${maxMailBytes} bytes`), { responseCode: 552 });
  const mail = Buffer.concat(chunks);
  const id = nameOf(mail);
  const known = (await readdir(dir)).find((name) => name.endsWith(`_${id}.eml`));
  const file = known ?? `${new Date().toISOString().replace(/[-:]/g, '')}_${id}.eml`;
  await replaceFile(join(dir, file), mail);
  return file;
}

/** The Message-ID as part of a file name; mails without one are named by their digest. */
function nameOf(mail: Buffer): string {
  const header = mail.subarray(0, 64 * 1024).toString('latin1').split(/\r?\n\r?\n/, 1)[0] ?? '';
  const id = /^message-id:\s*<?([^>\s]+)>?/im.exec(header)?.[1];
  const digest = createHash('sha256').update(id ?? mail).digest('hex').slice(0, 16);
  const readable = id?.replace(/[^A-Za-z0-9.@-]/g, '-').slice(0, 80);
  // The digest keeps two ids apart that look the same after the replacement.
  return readable === undefined ? digest : readable === id ? readable : `${readable}-${digest}`;
}
