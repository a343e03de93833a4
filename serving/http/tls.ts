import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import { PerennialError } from '../../contract/errors.js';

/** Files in PEM: the certificate with the ones between it and its authority, and its private key. */
export interface TlsFiles { readonly certificate: string; readonly key: string }

export interface Tls {
  readonly options: SecureContextOptions;
  /** Puts newer contents of the files into force for new connections, within seconds; what cannot be used is told, and the ones before go on. */
  follow(server: { setSecureContext(options: SecureContextOptions): void }): void;
  close(): void;
}

const LOOK_MS = 5_000;

/** Reads a server's certificate and key: `tls/unusable` where they cannot be read, are none, or do not belong together. Says no more of the key than where it is. */
export async function openTls(files: TlsFiles, { onProblem, lookMs = LOOK_MS }: { readonly onProblem: (message: string, error: unknown) => void; readonly lookMs?: number }): Promise<Tls> {
  let current = await load(files);
  let told = '';
  let looking = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(server: Parameters<Tls['follow']>[0]): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const found = await load(files);
      if (found.digest !== current.digest) {
        server.setSecureContext(found.options);
        current = found;
        onProblem(`the certificate of ${files.certificate} is in force, valid until ${found.validUntil}`, undefined);
      }
      told = '';
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== told) onProblem('the certificate cannot be replaced; the one before goes on', error);
      told = message;
    } finally {
      looking = false;
    }
  }

  return {
    options: current.options,
    follow(server) { timer = setInterval(() => void look(server), lookMs); },
    close() { clearInterval(timer); },
  };
}

async function load({ certificate, key }: TlsFiles): Promise<{ options: SecureContextOptions; digest: string; validUntil: string }> {
  const [cert, privateKey] = await Promise.all([read(certificate, 'certificate'), read(key, 'private key')]);
  const x509 = parsed(() => new X509Certificate(cert), `${certificate} holds no certificate in PEM`);
  const own = parsed(() => createPrivateKey(privateKey), `${key} holds no private key in PEM without a passphrase`);
  if (!x509.checkPrivateKey(own)) throw new PerennialError('tls/unusable', `${key} does not hold the private key of the first certificate of ${certificate}`);
  return { options: { cert, key: privateKey, minVersion: 'TLSv1.2' }, digest: createHash('sha256').update(cert).update('\0').update(privateKey).digest('hex'), validUntil: x509.validTo };
}

async function read(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new PerennialError('tls/unusable', `the ${what} ${file} cannot be read (${code})`);
  }
}

/** OpenSSL's own words may hold parts of what it read. */
function parsed<T>(parse: () => T, otherwise: string): T {
  try {
    return parse();
  } catch {
    throw new PerennialError('tls/unusable', otherwise);
  }
}
