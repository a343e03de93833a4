import type { FastifyReply, FastifyRequest } from 'fastify';
import { PerennialError } from '../contract/errors.js';
import type { Services } from './services.js';

const POLL_MS = 2_000;
const ALIVE_MS = 15_000;
const STREAMS_MOST = 200;
let open = 0;

/** Answers with a run's events as server-sent events: those after `after`, then each as it comes, until the run ends or the caller leaves. */
export function streamRun(services: Services, run: string, after: number, request: FastifyRequest, reply: FastifyReply): void {
  if (open >= STREAMS_MOST) throw new PerennialError('database/unavailable', `${STREAMS_MOST} streams are open already: poll /runs/${run}/events`);
  open += 1;
  reply.hijack();
  const out = reply.raw;
  out.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  out.write('retry: 2000\n\n');
  const gone = new AbortController();
  let wake: () => void = () => undefined;
  const unsubscribe = services.runFeed.subscribe(run, () => { wake(); });
  const alive = setInterval(() => out.write(': alive\n\n'), ALIVE_MS);
  request.raw.once('close', () => { gone.abort(); wake(); });

  const pump = async (): Promise<void> => {
    let last = after;
    while (!gone.signal.aborted) {
      const woken = new Promise<void>((resolve) => { wake = resolve; });
      const ended = await isOver(services, run); // read before the events: none can come after
      const events = await services.stores.runs.events(run, last);
      for (const event of events) {
        last = event.id ?? last;
        out.write(`id: ${last}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      if (ended && events.length === 0) return;
      if (events.length === 0) await Promise.race([woken, new Promise((resolve) => { setTimeout(resolve, POLL_MS).unref(); })]);
    }
  };
  pump()
    .catch((error: unknown) => { services.log('a stream ended early', { run, error: String(error) }); })
    .finally(() => {
      open -= 1;
      clearInterval(alive);
      unsubscribe();
      out.end();
    });
}

async function isOver(services: Services, run: string): Promise<boolean> {
  const found = await services.stores.runs.get(run);
  return found === null || !['queued', 'running', 'waiting'].includes(found.status);
}
