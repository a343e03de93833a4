import type { Context } from '../command.js';
import { formatDuration } from '../../domain/times.js';

export type Narrator = ReturnType<typeof createNarrator>;

/** Tells the story on the terminal: chapters with their time, and what each did. */
export function createNarrator({ io, paint }: Pick<Context, 'io' | 'paint'>, now: () => number = Date.now) {
  const began = now();
  const chapters: { title: string; ms: number }[] = [];
  let open: { title: string; at: number } | undefined;
  const close = () => {
    if (open) chapters.push({ title: open.title, ms: now() - open.at });
    open = undefined;
  };
  return {
    chapter(title: string): void {
      close();
      open = { title, at: now() };
      io.out(`\n${paint.bold(`${chapters.length + 1}. ${title}`)}  ${paint.dim(`at ${formatDuration(now() - began)}`)}\n`);
    },
    say: (text: string) => { io.out(`${text.split('\n').map((line) => `   ${line}`).join('\n')}\n`); },
    /** A command as a person would type it. */
    command: (text: string) => { io.out(`   ${paint.dim('$')} ${paint.cyan(text)}\n`); },
    end(): { chapters: readonly { title: string; ms: number }[]; totalMs: number } {
      close();
      return { chapters, totalMs: now() - began };
    },
  };
}
