import type { Ref } from '../contract/ref.js';
import type { Artifacts } from './artifacts.js';

/** Parsed JSON of a stored object; its digest is checked on the way. The caller parses it with its schema. */
export async function readJson(artifacts: Artifacts, ref: Ref): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await artifacts.get(ref))) as unknown;
}

/** Stores a value as JSON under its content's digest. */
export async function putJson(artifacts: Artifacts, value: unknown): Promise<Ref> {
  return artifacts.putBlob(new TextEncoder().encode(JSON.stringify(value)));
}
