import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GoldenPredictions } from '../../contract/package.js';
import type { HostFrame } from '../../contract/frames.js';
import type { CellRow } from '../../domain/cells.js';
import type { ChildContext } from '../child/main.js';
import { loadModel } from '../load-model.js';
import type { LoadedModel } from '../load-model.js';
import { columnsOf } from '../preprocess.js';
import type { RawRows } from '../preprocess.js';
import { loadTensorFlow } from '../tensorflow.js';
import { listenForHosts } from './listen.js';
import type { OnHostFrame, Send } from './listen.js';
import { replayGolden } from './replay-golden.js';
import { verifyPackage } from './verify-package.js';

/** Batch sizes that are predicted once before traffic: the first prediction of a size is slow. */
const WARM_UP_ROWS = [1, 2, 4, 8, 16, 32];

/** Verifies and loads a package, then answers predict frames until its pipe closes. Runs inside the child. */
export async function runRunner({ task, send, onFrame }: ChildContext<'runner'>): Promise<void> {
  const { packageDirectory } = task;
  const { digest, content } = await verifyPackage(packageDirectory);
  const model = await loadModel(loadTensorFlow(), packageDirectory);
  globalThis.gc?.(); // copies of the weights
  replayGolden(model, GoldenPredictions.parse(JSON.parse(await readFile(join(packageDirectory, 'golden.json'), 'utf8'))));
  for (const rows of WARM_UP_ROWS) model.predict(blankRows(model, rows), rows);
  globalThis.gc?.();
  const answering = (send: Send): OnHostFrame => (frame, body) => {
    if (frame.kind !== 'predict') return;
    try {
      const outputs = model.predict(rawRows(model, frame, body), frame.rows);
      void send({ v: 1, kind: 'prediction', id: frame.id }, new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength));
    } catch (error) {
      void send({ v: 1, kind: 'refused', id: frame.id, message: error instanceof Error ? error.message : String(error) });
    }
  };
  onFrame(answering(send));
  if (task.listen !== undefined) await listenForHosts(task.listen, answering);
  await send({ v: 1, kind: 'ready', digest, model: content.model, signature: model.signature });
}

/** Rows that say nothing: black pictures, or rows in which all is missing. */
function blankRows({ preprocessing, preprocessor }: LoadedModel, rows: number): RawRows {
  return preprocessing.kind === 'image' ? new Uint8Array(rows * preprocessor.width) : Array.from({ length: rows }, () => []);
}

function rawRows({ preprocessing, preprocessor }: LoadedModel, { rows, datatype }: Extract<HostFrame, { kind: 'predict' }>, body: Uint8Array): RawRows {
  if (datatype === 'CELLS') {
    if (preprocessing.kind === 'image') throw new TypeError('the model takes pictures');
    const { length: width } = columnsOf(preprocessing);
    const cells = JSON.parse(new TextDecoder().decode(body)) as CellRow[];
    if (cells.length !== rows || cells.some((row) => row.length !== width)) throw new RangeError(`${rows} rows of ${width} columns are needed, ${cells.length} were sent`);
    return cells;
  }
  const raw = datatype === 'UINT8' ? body : new Float32Array(body.buffer, body.byteOffset, Math.floor(body.byteLength / 4));
  const expected = rows * preprocessor.width;
  if (raw.length !== expected) throw new RangeError(`${rows} rows need ${expected} numbers, ${raw.length} were sent`);
  return raw;
}
