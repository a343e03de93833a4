import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient } from '../../activities/deploy/http-client.js';
import { readInference } from '../../activities/deploy/inference.js';
import { MODEL } from './repository.js';

/** Often enough for a hundredth of a second, seldom enough to leave the machine to what is measured. */
const ASK_EVERY_MS = 20;
const PICTURE = Buffer.from(JSON.stringify({ inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', data: new Array<number>(32 * 32 * 3).fill(128) }] }));

/** The production server as a caller sees it: a picture is sent, and the answer says which version gave it. */
export function createProduction({ url, token }: { url: string; token: string }) {
  const client = createHttpClient(url, { token, connections: 1 });
  const version = async (): Promise<number | null> => {
    const { status, body } = await client.post(`/v2/models/${MODEL}/infer`, PICTURE);
    return status === 200 ? readInference(body).version : null;
  };
  return {
    /** When (milliseconds since 1970) a prediction was first answered by this version. */
    async answeredBy(wanted: number, signal: AbortSignal): Promise<number> {
      for (;;) {
        signal.throwIfAborted();
        if ((await version()) === wanted) return Date.now();
        await sleep(ASK_EVERY_MS, undefined, { signal });
      }
    },
    close: () => { client.close(); },
  };
}
export type Production = ReturnType<typeof createProduction>;
