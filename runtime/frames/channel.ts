import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import { encodeFrame, FrameDecoder, FrameError } from './codec.js';

export interface ChannelHandlers<In> {
  readonly onFrame: (frame: In, body: Uint8Array) => void;
  /** The other side closed the pipe or died; with an error where what it sent was no frame. Called once. */
  readonly onClose: (error: FrameError | null) => void;
}

/** Frames over a duplex pipe: what arrives is parsed by `schema`, what is sent is trusted. */
export class Channel<In, Out extends object> {
  readonly #decoder = new FrameDecoder();
  #closed = false;

  constructor(private readonly pipe: Duplex, private readonly schema: z.ZodType<In>, private readonly handlers: ChannelHandlers<In>) {
    pipe.on('data', (chunk: Uint8Array) => { this.#receive(chunk); });
    pipe.on('end', () => { this.#close(this.#decoder.idle ? null : new FrameError('the pipe closed in the middle of a frame')); });
    pipe.on('close', () => { this.#close(null); });
    // A write to a dead process fails here; its exit is what matters and is reported by `close`.
    pipe.on('error', () => { this.#close(null); });
  }

  /** Resolves when the frame is handed to the system. After the pipe closed, frames are dropped. */
  send(frame: Out, body?: Uint8Array): Promise<void> {
    if (this.#closed || this.pipe.destroyed || this.pipe.writableEnded) return Promise.resolve();
    const pieces = encodeFrame(frame, body);
    return new Promise((resolve) => {
      this.pipe.cork();
      pieces.forEach((piece, index) => this.pipe.write(piece, index === pieces.length - 1 ? () => { resolve(); } : undefined));
      this.pipe.uncork();
    });
  }

  close(): void {
    this.pipe.destroy();
    this.#close(null);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const { header, body } of this.#decoder.push(chunk)) {
        const parsed = this.schema.safeParse(header);
        if (!parsed.success) throw new FrameError(`a frame does not match its schema: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`);
        this.handlers.onFrame(parsed.data, body);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#close(error);
      this.pipe.destroy();
    }
  }

  #close(error: FrameError | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.handlers.onClose(error);
  }
}
