import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** What a shell showed after one line of a paste, and how it ended; `null` where the line was not the end of a command. */
export interface Shown { readonly line: string; readonly text: string; readonly status: number | null }

export interface Terminal {
  /**
   * Pastes a block as a reader does, every line of it at once, and waits until the shell asks for more. A program that takes a
   * line that was meant for the shell leaves the shell one prompt short, and the wait fails.
   */
  paste(block: string, answers?: readonly Answer[]): Promise<Shown[]>;
  /** Everything shown so far. */
  transcript(): string;
  close(): Promise<void>;
}

/** What to type once the terminal shows `to`; the text is what was shown since the paste. */
export interface Answer { readonly to: RegExp; readonly type: (text: string) => string }

interface Prompt { readonly status: number | null; readonly from: number; readonly to: number }

/** Characters of the transcript that a failure's message holds. */
const SHOWN = 6_000;
const READY = /⟦(\d+|more)⟧/g;

/**
 * An interactive bash on a terminal of its own. Every line that it reads is preceded by a prompt that holds the last status.
 * The terminal is Python's: set-up needs Python anyway, and there is no native module to build.
 */
export async function openTerminal({ cwd, env, patienceMs }: { cwd: string; env: NodeJS.ProcessEnv; patienceMs: number }): Promise<Terminal> {
  const child = spawn('python3', [join(import.meta.dirname, 'terminal.py'), 'bash', '--noprofile', '--norc', '--noediting', '-i'], {
    cwd, stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, TERM: 'xterm', PROMPT_COMMAND: '' },
  });
  let shown = '';
  let ended = false;
  const wakeUps = new Set<() => void>();
  const wake = () => { for (const call of wakeUps) call(); };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { shown += text; wake(); });
  const gone = new Promise<void>((settle) => { child.once('close', () => { ended = true; wake(); settle(); }); });

  async function until<T>(what: string, look: () => T | null): Promise<T> {
    for (const end = Date.now() + patienceMs; ;) {
      const found = look();
      if (found !== null) return found;
      if (ended) throw new Error(`The shell ended, waiting for ${what}. It showed:\n${plain(shown).slice(-SHOWN)}`);
      if (Date.now() > end) throw new Error(`${what} did not come within ${patienceMs / 1000} s. The terminal showed:\n${plain(shown).slice(-SHOWN)}`);
      await new Promise<void>((settle) => {
        const timer = setTimeout(settle, end - Date.now() + 1);
        wakeUps.clear();
        wakeUps.add(() => { clearTimeout(timer); settle(); });
      });
    }
  }
  const promptsSince = (from: number): Prompt[] => [...shown.slice(from).matchAll(READY)].map(({ 0: { length }, 1: status, index }) => ({ status: status === 'more' ? null : Number(status), from: from + index, to: from + index + length }));

  // Typed, because bash takes no prompt from the environment when root runs it; in two words, because it is echoed.
  child.stdin.write("stty -echo; PS2='⟦mo''re⟧' PS1='⟦$?⟧'\n");
  await until('the first prompt', () => promptsSince(0).at(0) ?? null);
  shown = '';
  return {
    async paste(block, answers = []) {
      const lines = block.replace(/\n$/, '').split('\n');
      const start = shown.length;
      child.stdin.write(`${lines.join('\n')}\n`);
      let heard = start;
      for (const { to, type } of answers) {
        const question = await until(`${String(to)}`, () => to.exec(shown.slice(heard)));
        heard += question.index + question[0].length;
        child.stdin.write(`${type(plain(shown.slice(start)))}\n`);
      }
      const prompts = await until(`the prompt after\n${block}\n`, () => { const found = promptsSince(start); return found.length >= lines.length ? found : null; });
      return lines.map((line, index) => {
        const [before, after] = [prompts[index - 1]?.to ?? start, prompts[index]];
        return { line, text: plain(shown.slice(before, after?.from)), status: after?.status ?? null };
      });
    },
    transcript: () => plain(shown),
    async close() {
      child.stdin.end();
      await gone;
    },
  };
}

/** What is left to read: without colours and without what was written over (a moving progress line). */
const plain = (text: string) => stripVTControlCharacters(text.replaceAll(/\r*\n/g, '\n').replaceAll(/\u001b\[1G|\u001b\[2K/g, '\r').replaceAll(READY, '$ ')).replaceAll(/[^\n]*\r/g, '');
