import { z } from 'zod';

const Metadata = z.object({ parameters: z.object({ version: z.int(), generation: z.int() }) });

/** What a prediction server itself says that it serves: `null` where it serves nothing of the model, `undefined` where it did not answer. */
export async function askReplica(url: string, model: string, token: string, timeoutMs = 1_000): Promise<{ version: number; generation: number } | null | undefined> {
  try {
    const response = await fetch(`${url}/v2/models/${encodeURIComponent(model)}`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(timeoutMs) });
    const body: unknown = await response.json();
    if (response.status === 404) return null;
    const parsed = Metadata.safeParse(body);
    return parsed.success ? parsed.data.parameters : undefined;
  } catch {
    return undefined; // not reachable just now: the caller asks again until its time is up
  }
}
