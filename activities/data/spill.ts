import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export interface Spilled { readonly at: number; readonly bytes: number }

const FLUSH_BYTES = 4 * 1024 * 1024;

/** Bytes of rows on disk, in one file, so that only their places are kept in memory. Belongs to one attempt. */
export class Spill {
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private length = 0;
  private written: Promise<void> = Promise.resolve();

  private constructor(private readonly file: FileHandle) {}

  static async create(path: string): Promise<Spill> {
    return new Spill(await open(path, 'w+'));
  }

  async append(bytes: Uint8Array): Promise<Spilled> {
    const place = { at: this.length, bytes: bytes.length };
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.length += bytes.length;
    if (this.waitingBytes >= FLUSH_BYTES) await this.flush();
    return place;
  }

  async read({ at, bytes }: Spilled): Promise<Uint8Array> {
    await this.flush();
    const buffer = new Uint8Array(bytes);
    const { bytesRead } = await this.file.read(buffer, 0, bytes, at);
    if (bytesRead !== bytes) throw new Error(`the spill file ends at ${at + bytesRead}, ${bytes - bytesRead} bytes before a row does`);
    return buffer;
  }

  /** Resolves once all that was appended is in the file, whoever began to write it. */
  private flush(): Promise<void> {
    if (this.waitingBytes > 0) {
      const chunk = Buffer.concat(this.waiting);
      const at = this.length - chunk.length;
      this.waiting = [];
      this.waitingBytes = 0;
      this.written = this.written.then(() => this.write(chunk, at));
    }
    return this.written;
  }

  private async write(chunk: Buffer, at: number): Promise<void> {
    for (let from = 0; from < chunk.length;) from += (await this.file.write(chunk, from, chunk.length - from, at + from)).bytesWritten;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
