import fc from 'fast-check';

/** How a body's length is told: as it is, in chunks, or wrongly. */
export type Framing = 'length' | 'chunked' | 'bad-chunk' | 'none' | { readonly says: number };

/** How the bytes are sent: at once, in pieces with pauses, up to some share of them before the line is cut, or all of them by a client that then leaves. */
export type Delivery = 'whole' | 'pieces' | 'leaves' | { readonly cutAt: number };

export interface FuzzParts {
  readonly method: string; readonly target: string; readonly headers: readonly (readonly [string, string])[]; readonly body: Buffer;
  readonly framing: Framing; readonly delivery: Delivery;
  /** It says itself that it waits for no more than an instant: 504 is right. */
  readonly hurried: boolean;
}

/** A request as it goes over the wire, whether HTTP allows it or not. */
export class FuzzRequest implements FuzzParts {
  readonly method; readonly target; readonly headers; readonly body; readonly framing; readonly delivery; readonly hurried;
  constructor(parts: FuzzParts) {
    ({ method: this.method, target: this.target, headers: this.headers, body: this.body, framing: this.framing, delivery: this.delivery, hurried: this.hurried } = parts);
  }

  /** A server owes no answer to who left, or who never sent what was announced. */
  get mayGoUnanswered(): boolean {
    return this.delivery === 'leaves' || typeof this.delivery === 'object' || typeof this.framing === 'object' || this.framing === 'none' || this.framing === 'bad-chunk';
  }

  bytes(): Buffer {
    const { framing, body } = this;
    const length = framing === 'length' ? [['content-length', String(body.length)] as const] : typeof framing === 'object' ? [['content-length', String(framing.says)] as const] : framing === 'none' ? [] : [['transfer-encoding', 'chunked'] as const];
    const lines = [`${this.method} ${this.target} HTTP/1.1`, ...[...this.headers, ...length, ['connection', 'close'] as const].map(([name, value]) => `${name}: ${value}`)];
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    if (framing === 'chunked') return Buffer.concat([head, ...(body.length > 0 ? [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')] : []), Buffer.from('0\r\n\r\n')]);
    if (framing === 'bad-chunk') return Buffer.concat([head, Buffer.from('xyz\r\n'), body]);
    return Buffer.concat([head, body]);
  }

  /** What a failed run shows of it. */
  [fc.toStringMethod](): string {
    const { method, target, headers, framing, delivery, body } = this;
    return `${method} ${target} ${JSON.stringify(headers)} framing ${JSON.stringify(framing)} delivery ${JSON.stringify(delivery)} body (${body.length} bytes) ${JSON.stringify(body.subarray(0, 400).toString('latin1'))}`;
  }
}
