import { BATCH_TYPE } from './cloud-event.js';

/** Where events go. */
export interface EventSink {
  readonly url: string;
  /** What is sent as `Authorization: Bearer …`, read for every request; null: nothing. */
  readonly secret: () => Promise<string | null>;
}

/** `refused`: these events, so that sending them again cannot help. `later`: the receiver as a whole, now. */
export type Posted = { readonly outcome: 'accepted' } | { readonly outcome: 'refused'; readonly detail: string } | { readonly outcome: 'later'; readonly reason: 'unreachable' | 'status'; readonly detail: string; readonly afterMs: number | null };

/** Statuses that speak of the body, not of the receiver or of who sends. */
const OF_THE_BODY: ReadonlySet<number> = new Set([400, 413, 415, 422]);
const TIMEOUT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;

/** Sends one body of events. What is answered is neither kept nor logged beyond its status: it may repeat what was sent. */
export async function postEvents({ url, secret }: EventSink, body: string, signal: AbortSignal): Promise<Posted> {
  try {
    const bearer = await secret();
    const response = await fetch(url, {
      method: 'POST', body, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: { 'content-type': BATCH_TYPE, ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }) },
    });
    await response.body?.cancel();
    if (response.ok) return { outcome: 'accepted' };
    const detail = `the receiver answered ${response.status}`;
    if (OF_THE_BODY.has(response.status)) return { outcome: 'refused', detail };
    const seconds = Number(response.headers.get('retry-after') ?? NaN);
    return { outcome: 'later', reason: 'status', detail, afterMs: Number.isFinite(seconds) && seconds >= 0 ? Math.min(LONGEST_WAIT_MS, seconds * 1_000) : null };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error instanceof Error ? error.message : String(error);
    return { outcome: 'later', reason: 'unreachable', detail: cause, afterMs: null };
  }
}
