import { z } from 'zod';
import type { Context } from './command.js';
import { clock, figure } from './table.js';
import type { Event } from './views.js';

/** What the training writes into its progress events. */
const Progress = z.object({ epoch: z.int(), epochs: z.int(), batch: z.number(), batches: z.number(), loss: z.number(), accuracy: z.number().nullable(), mae: z.number().optional(), rowsPerSecond: z.number().optional() });
type Progress = z.infer<typeof Progress>;

const BAR = 24;

/** One moving line on a terminal; elsewhere a plain line for each epoch. */
export function createProgressLine(context: Pick<Context, 'io' | 'paint'>): { progress(event: Event): void; end(): void } {
  const { io, paint } = context;
  let begun: { at: number; share: number; key: string } | undefined;
  let open = false;
  let lastWord = '';

  return {
    progress(event) {
      const parsed = Progress.safeParse(event.data);
      if (!parsed.success) return;
      const now = parsed.data;
      const share = shareOf(now);
      const key = `${event.step ?? ''}/${event.eventId.replace(/-\d+$/, '')}`;
      if (begun?.key !== key || share < begun.share) begun = { at: Date.parse(event.at), share, key };
      const text = describe(now, share, timeLeft(begun, share, Date.parse(event.at)));
      if (io.isTerminal) {
        const filled = Math.round(share * BAR);
        io.out(`\r\u001b[2K  ${paint.green('█'.repeat(filled))}${paint.dim('░'.repeat(BAR - filled))} ${text.slice(0, Math.max(10, io.columns - BAR - 4))}`);
        open = true;
        return;
      }
      // The first and the last word of each epoch.
      const word = `${key}/${now.epoch}${now.batch >= now.batches ? '/done' : ''}`;
      if (word === lastWord || (lastWord === `${key}/${now.epoch}/done`)) return;
      lastWord = word;
      io.out(`  ${event.step ?? 'train'}: ${text}\n`);
    },
    end() {
      if (open) io.out('\n');
      open = false;
    },
  };
}

function shareOf({ epoch, epochs, batch, batches }: Progress): number {
  return Math.min(1, Math.max(0, (epoch - 1 + (batches > 0 ? batch / batches : 0)) / Math.max(1, epochs)));
}

/** From the pace since the first event that was seen; null before there is a pace. */
function timeLeft(begun: { at: number; share: number }, share: number, at: number): number | null {
  const done = share - begun.share;
  return done <= 0 ? null : ((at - begun.at) / done) * (1 - share);
}

function describe({ epoch, epochs, batch, batches, loss, accuracy, mae, rowsPerSecond }: Progress, share: number, leftMs: number | null): string {
  return [
    `${Math.round(share * 100)}%`, `epoch ${epoch}/${epochs}`, `batch ${batch}/${batches}`, `loss ${figure(loss)}`, accuracy === null ? `mae ${figure(mae ?? null)}` : `accuracy ${figure(accuracy)}`,
    ...(rowsPerSecond === undefined ? [] : [`${Math.round(rowsPerSecond).toLocaleString('en')} rows/s`]), ...(leftMs === null ? [] : [`${clock(leftMs)} left`]),
  ].join('  ');
}
