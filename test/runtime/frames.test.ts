import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { HostFrame } from '../../contract/frames.js';
import { Channel } from '../../runtime/frames/channel.js';
import { encodeFrame, FrameDecoder, FrameError } from '../../runtime/frames/codec.js';
import { Prng } from '../../runtime/prng.js';

const bytesOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces);

/** A channel over a pipe that the test writes to. */
function openChannel() {
  const frames: HostFrame[] = [];
  const closes: (FrameError | null)[] = [];
  const pipe = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => { done(); } });
  new Channel<HostFrame, object>(pipe, HostFrame, { onFrame: (frame) => { frames.push(frame); }, onClose: (error) => { closes.push(error); } });
  return { pipe, frames, closes, settled: () => new Promise((resolve) => { setTimeout(resolve, 20); }) };
}

describe('frames', () => {
  test('come out as they went in, wherever the pipe cuts them', () => {
    const prng = Prng.of('cuts');
    const sent = Array.from({ length: 40 }, (_, index) => ({ header: { index, text: 'ü'.repeat(index) }, body: Uint8Array.from({ length: index * 37 }, () => prng.uint32() & 255) }));
    const stream = bytesOf(sent.flatMap(({ header, body }) => encodeFrame(header, body)));
    const decoder = new FrameDecoder();
    const got = [];
    for (let at = 0; at < stream.length;) {
      const cut = Math.min(stream.length, at + 1 + (prng.uint32() % 300));
      got.push(...decoder.push(stream.subarray(at, cut)));
      at = cut;
    }
    expect(got.map(({ header }) => header)).toEqual(sent.map(({ header }) => header));
    got.forEach(({ body }, index) => { expect(Buffer.compare(body, sent[index]?.body ?? new Uint8Array())).toBe(0); });
    expect(decoder.idle).toBe(true);
  });

  test('of a header that is no JSON, or of a length over the limit, are refused', () => {
    const [head] = encodeFrame({ a: 1 });
    const broken = Buffer.from(head ?? []);
    broken[12] = 0xff;
    expect(() => [...new FrameDecoder().push(broken)]).toThrow(FrameError);
    const long = Buffer.from(head ?? []);
    long.writeUInt32LE(0xffffffff, 8);
    expect(() => [...new FrameDecoder().push(long)]).toThrow(/over the limit/);
  });

  test('garbage never gets through and never hangs: it is one clean error', async () => {
    const prng = Prng.of('garbage');
    for (let round = 0; round < 200; round += 1) {
      const { pipe, frames, closes, settled } = openChannel();
      const good = bytesOf(encodeFrame({ v: 1, kind: 'cancel' }));
      const noise = Uint8Array.from({ length: 12 + (prng.uint32() % 200) }, () => prng.uint32() & 255);
      pipe.push(Buffer.concat([good, noise]));
      pipe.push(null);
      await (round % 50 === 0 ? settled() : new Promise(setImmediate));
      await new Promise(setImmediate);
      expect(frames).toEqual([{ v: 1, kind: 'cancel' }]);
      expect(closes).toHaveLength(1);
      expect(closes[0]).toBeInstanceOf(FrameError);
    }
  });

  test('that are well-formed but not of the schema close the channel', async () => {
    const { pipe, frames, closes, settled } = openChannel();
    pipe.push(bytesOf(encodeFrame({ v: 2, kind: 'cancel' })));
    await settled();
    expect(frames).toEqual([]);
    expect(closes[0]?.message).toMatch(/does not match its schema: v/);
  });
});
