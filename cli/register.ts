import type { Command } from 'commander';
import type { Run } from './command.js';

/** Declares one command; see `addCommand`. */
export type Add = <A extends readonly unknown[] = [], O = Record<never, never>>(parent: Command, usage: string, description: string, shape: (command: Command) => Command, run: Run<A, O>) => Command;

/** Declares the commands of one file. */
export type Register = (add: Add, program: Command) => void;

export const plain = (command: Command): Command => command;
