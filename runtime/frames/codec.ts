import { FRAME_MAGIC, FRAME_PREFIX_BYTES, MAXIMUM_BODY_BYTES, MAXIMUM_HEADER_BYTES } from '../../contract/frames.js';

/** What arrived on a pipe is not a frame; the stream cannot be read further. */
export class FrameError extends Error { override readonly name = 'FrameError' }

export interface RawFrame {
  readonly header: unknown;
  /** Starts at offset 0 of its own buffer, so that typed arrays can view it. */
  readonly body: Uint8Array;
}

const MAGIC = Buffer.from(FRAME_MAGIC, 'latin1');

/** A frame as the pieces to write, in order; the body is not copied. */
export function encodeFrame(header: object, body?: Uint8Array): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const bodyBytes = body?.byteLength ?? 0;
  if (json.length > MAXIMUM_HEADER_BYTES) throw new FrameError(`a frame's header of ${json.length} bytes is over the limit of ${MAXIMUM_HEADER_BYTES}`);
  if (bodyBytes > MAXIMUM_BODY_BYTES) throw new FrameError(`a frame's body of ${bodyBytes} bytes is over the limit of ${MAXIMUM_BODY_BYTES}`);
  const head = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + json.length);
  MAGIC.copy(head, 0);
  head.writeUInt32LE(json.length, 4);
  head.writeUInt32LE(bodyBytes, 8);
  json.copy(head, FRAME_PREFIX_BYTES);
  return body && bodyBytes > 0 ? [head, body] : [head];
}

/** Reads frames out of the chunks of a pipe, in any cut. Throws FrameError on bytes that are no frame. */
export class FrameDecoder {
  #chunks: Uint8Array[] = [];
  #held = 0;
  #needed: { header: number; body: number } | null = null;

  /** True between two frames: a stream that ends elsewhere was cut. */
  get idle(): boolean { return this.#held === 0 && this.#needed === null; }

  *push(chunk: Uint8Array): Generator<RawFrame> {
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (!this.#needed) {
        if (this.#held < FRAME_PREFIX_BYTES) return;
        this.#needed = lengths(this.#take(FRAME_PREFIX_BYTES));
      }
      const { header, body } = this.#needed;
      if (this.#held < header + body) return;
      this.#needed = null;
      const json = this.#take(header);
      yield { header: parseHeader(json), body: this.#take(body) };
    }
  }

  #take(bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    let written = 0;
    while (written < bytes) {
      const first = this.#chunks[0];
      if (!first) throw new FrameError('the decoder holds fewer bytes than it counted');
      const part = first.subarray(0, bytes - written);
      out.set(part, written);
      written += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#held -= bytes;
    return out;
  }
}

function lengths(prefix: Uint8Array): { header: number; body: number } {
  const view = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length);
  if (!view.subarray(0, 4).equals(MAGIC)) throw new FrameError(`expected a frame, found the bytes ${view.subarray(0, 4).toString('hex')}`);
  const header = view.readUInt32LE(4);
  const body = view.readUInt32LE(8);
  if (header > MAXIMUM_HEADER_BYTES || body > MAXIMUM_BODY_BYTES) throw new FrameError(`a frame announces ${header} and ${body} bytes, which is over the limit`);
  return { header, body };
}

function parseHeader(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8'));
  } catch (cause) {
    throw new FrameError('the header of a frame is not JSON', { cause });
  }
}
