import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './command.js';
import { CommandError } from './errors.js';
import { createProgressLine } from './progress-line.js';
import { moment } from './table.js';
import { Events, RunView, type Event } from './views.js';

const POLL_MS = 400;
const LOOK_MS = 2_000;
/** A gateway that is being restarted is waited for; longer is told. */
const AWAY_MS = 60_000;
const OPEN = ['queued', 'running', 'waiting'];

/**
 * Shows a run's events as they come, until it ends, or (`untilWaiting`) until it waits for a decision. On a terminal one moving line
 * shows the training's progress. `after`: the id of an event already shown. Gives the run as it is then.
 */
export async function followRun(context: Context, run: string, { untilWaiting, after = 0, onEvent = () => undefined }: { untilWaiting: boolean; after?: number; onEvent?: (event: Event) => void }): Promise<RunView> {
  const line = createProgressLine(context);
  let [shownTo, lookedAt, awaySince] = [after, 0, 0];
  for (;;) {
    try {
      const { events } = await context.api.get(Events, `/runs/${run}/events`, { after: shownTo });
      for (const event of events) {
        shownTo = event.id;
        onEvent(event);
        show(context, line, event);
      }
      const decisive = events.some((event) => event.kind === 'end' || event.step === 'approval');
      if (decisive || Date.now() - lookedAt > LOOK_MS) {
        lookedAt = Date.now();
        const view = await context.api.get(RunView, `/runs/${run}`);
        const over = !OPEN.includes(view.run.status) || (untilWaiting && view.run.status === 'waiting');
        if (over && events.length === 0) { // what was written before the end has been shown
          line.end();
          return view;
        }
        if (over) { lookedAt = 0; continue; }
      }
      awaySince = 0;
      await sleep(POLL_MS);
    } catch (error) {
      if (!(error instanceof CommandError) || !error.code.endsWith('/unavailable')) throw error;
      if (awaySince === 0) { line.end(); context.note(`${error.message}; waiting for it`); }
      awaySince ||= Date.now();
      if (Date.now() - awaySince > AWAY_MS) throw error;
      await sleep(1_000);
    }
  }
}

function show(context: Context, line: ReturnType<typeof createProgressLine>, event: Event): void {
  if (context.json) return;
  if (event.kind === 'progress') { line.progress(event); return; }
  line.end();
  const { paint } = context;
  const mark = { step: paint.cyan('▸'), note: paint.dim('·'), gate: '◦', refusal: paint.yellow('✗'), decision: paint.green('✓'), mail: '✉', error: paint.red('✗'), end: paint.bold('■') }[event.kind];
  context.io.out(`${paint.dim(moment(event.at).slice(11))} ${mark} ${event.kind === 'step' && event.step ? `${paint.bold(event.step)}  ` : ''}${event.message}\n`);
}
