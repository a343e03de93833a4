import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../infra/stack/package-root.js';
import { addCommand } from './command.js';
import { addAuditCommands } from './commands/audit.js';
import { addCompareCommand } from './commands/compare.js';
import { addDecisionCommands } from './commands/decisions.js';
import { addEraseCommand } from './commands/erase.js';
import { addExperimentCommands } from './commands/experiment.js';
import { addExportCommand } from './commands/export.js';
import { addFeatureCommands } from './commands/features.js';
import { addFrozenCommands } from './commands/frozen.js';
import { addImportCommand } from './commands/import.js';
import { addImportanceCommand } from './commands/importance.js';
import { addKeyCommands } from './commands/keys.js';
import { addLineageCommand } from './commands/lineage.js';
import { addLoggedCommand } from './commands/logged.js';
import { addOperationCommands } from './commands/operations.js';
import { addPredictCommands } from './commands/predict.js';
import { addProfileCommands } from './commands/profile.js';
import { addRegistryCommands } from './commands/registry.js';
import { addReproduceCommand } from './commands/reproduce.js';
import { addRepositoryCommands } from './commands/repository.js';
import { addRunCommands } from './commands/runs.js';
import { addStackCommands } from './commands/stack.js';
import { addStartCommands } from './commands/start.js';
import { tell, UsageError } from './errors.js';
import { createPaint, type Io } from './io.js';
import type { Add, Register } from './register.js';

const COMMANDS: readonly Register[] = [addStackCommands, addStartCommands, addRepositoryCommands, addRunCommands, addDecisionCommands, addOperationCommands, addEraseCommand, addFrozenCommands, addPredictCommands, addLoggedCommand, addAuditCommands, addReproduceCommand, addExportCommand, addImportCommand, addLineageCommand, addExperimentCommands, addImportanceCommand, addCompareCommand, addProfileCommands, addFeatureCommands, addRegistryCommands, addKeyCommands];

export const DONE = 0;
export const REFUSED = 1;
export const WRONG_USAGE = 2;

/** Runs one command line (without `node` and the program) and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function runCommandLine(args: readonly string[], io: Io, more: readonly Register[] = []): Promise<number> {
  let code = DONE;
  const add: Add = (parent, usage, description, shape, run) => addCommand(parent, usage, description, shape, io, (ended) => { code = ended; }, run);
  const program = new Command('perennial').description('Keeps machine-learning models alive in production.').version(versionOfPackage())
    .addHelpText('after', '\nAlso: setup, doctor. Every command takes --json. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.');
  for (const register of [...COMMANDS, ...more]) register(add, program);
  quiet(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return failed(error, args.includes('--json'), io);
  }
}

/** Every command throws instead of ending the process, and writes through `io`. */
function quiet(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  for (const one of command.commands) quiet(one, io);
}

function failed(error: unknown, json: boolean, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE; // commander has told what is wrong
  if (error instanceof UsageError) {
    if (json) io.out(`${JSON.stringify({ error: { code: 'usage', message: error.message, next: 'See `perennial --help`.' } }, null, 2)}\n`);
    else io.err(`wrong usage: ${error.message}\n`);
    return WRONG_USAGE;
  }
  const told = tell(error);
  const paint = createPaint(io);
  if (json) io.out(`${JSON.stringify({ error: told }, null, 2)}\n`);
  else io.err(`${paint.red('failed')}: ${told.message} (${told.code})\nnext: ${told.next}\n`);
  return REFUSED;
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
