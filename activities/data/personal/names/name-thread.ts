import { parentPort } from 'node:worker_threads';
import { countNames } from './decide.js';
import type { NameCounts } from './decide.js';
import { readNameLists } from './lists.js';
import { nameIn } from './recognise.js';

/** A thread's program: counts the names in each column's texts that it is sent. The lists are in memory as long as it lives. */
const lists = readNameLists();
parentPort?.on('message', (texts: readonly string[]) => { parentPort?.postMessage(countNames(texts.map((text) => nameIn(text, lists))) satisfies NameCounts); });
