/** Keeps the last bytes of an output, so that a chatty child cannot fill memory. */
export class Tail {
  #chunks: Buffer[] = [];
  #held = 0;

  constructor(private readonly limit = 64 * 1024) {}

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#chunks.length > 1 && this.#held - (this.#chunks[0]?.length ?? 0) >= this.limit) this.#held -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.length - this.limit)).toString('utf8');
  }
}
