/** The embedded mail server: `node main.js --port N --dir FOLDER`. Says `{ ready: true }` to its parent when it listens. */
import { parseArgs } from 'node:util';
import { createMailSink } from './sink.js';

const { values } = parseArgs({ options: { port: { type: 'string' }, dir: { type: 'string' } } });
if (values.port === undefined || values.dir === undefined) throw new Error('usage: main.js --port N --dir FOLDER');

const sink = await createMailSink({ port: Number(values.port), dir: values.dir });
process.stdout.write(`${new Date().toISOString()} listening on 127.0.0.1:${sink.port}, keeping mails in ${values.dir}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void sink.close().then(() => process.exit(0)));
process.send?.({ ready: true });
