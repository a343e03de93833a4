import type { Command } from 'commander';
import type { Config } from '../infra/config.js';
import { cliConfig, createApi, type Api } from './api.js';
import { createPaint, type Io, type Paint } from './io.js';

/** What every command works with. Reading the configuration or the token happens only when asked for. */
export interface Context {
  readonly io: Io;
  readonly paint: Paint;
  readonly json: boolean;
  readonly config: Config;
  readonly api: Api;
  /** Prints the result: as JSON with `--json`, else as `human` says. */
  answer(value: unknown, human: () => string): void;
  /** A line of progress on standard error, left out with `--json`. */
  note(line: string): void;
}

export type Run<A extends readonly unknown[], O> = (context: Context, options: O, ...args: A) => Promise<number | undefined>;

/** Ends a command with this exit code. */
export type Finish = (code: number) => void;

/** Declares a command with `--json`. Its run gives the exit code: 0 unless it says otherwise. */
export function addCommand<A extends readonly unknown[] = [], O = Record<never, never>>(parent: Command, usage: string, description: string, shape: (command: Command) => Command, io: Io, finish: Finish, run: Run<A, O>): Command {
  const command = shape(parent.command(usage).description(description)).option('--json', 'print one JSON document');
  return command.action(async (...given: unknown[]) => {
    const args = given.slice(0, -2) as unknown as A;
    const options = given.at(-2) as O & { json?: boolean };
    finish((await run(createContext(io, options.json === true), options, ...args)) ?? 0);
  });
}

export function createContext(io: Io, json: boolean): Context {
  const paint = createPaint(io);
  let config: Config | undefined;
  let api: Api | undefined;
  return {
    io, paint, json,
    get config() { return (config ??= cliConfig(io.env, io.cwd)); },
    get api() { return (api ??= createApi(this.config, io.env)); },
    answer(value, human) { io.out(json ? `${JSON.stringify(value, null, 2)}\n` : `${human()}\n`); },
    note(line) { if (!json) io.err(`${line}\n`); },
  };
}
