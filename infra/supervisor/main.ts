/** The supervisor as a process of its own: `node main.js --home FOLDER [--only NAME,NAME]`. `up` starts it; see there. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { runForeground } from './foreground.js';
import { programNames } from './programs.js';

const { values } = parseArgs({ options: { home: { type: 'string' }, only: { type: 'string' } } });
if (values.home === undefined) throw new Error('usage: main.js --home FOLDER [--only NAME,NAME]');
const only = values.only === undefined ? undefined : z.array(z.enum(programNames)).parse(values.only.split(','));

const onEvent = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
try {
  await runForeground({ home: values.home, onEvent, onReady: () => onEvent('everything is ready'), ...(only === undefined ? {} : { only }) });
  process.exit(0);
} catch (error) {
  onEvent(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
