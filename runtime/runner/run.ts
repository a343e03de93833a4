import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GoldenPredictions } from '../../contract/package.js';
import type { HostFrame } from '../../contract/frames.js';
import type { CellRow } from '../../domain/cells.js';
import type { ChildContext } from '../child/main.js';
import { createExplainer } from '../explain/explainer.js';
import { createExplanations } from '../explain/explanations.js';
import { loadServedModel } from '../load-model.js';
import type { LoadedModel } from '../load-model.js';
import { columnsOf } from '../preprocess.js';
import type { RawRows } from '../preprocess.js';
import { readProfile } from '../read-profile.js';
import { loadTensorFlow } from '../tensorflow.js';
import { listenForHosts } from './listen.js';
import type { Host, Hosts, Send } from './listen.js';
import { replayGolden } from './replay-golden.js';
import { verifyPackage } from './verify-package.js';

/** Batch sizes that are predicted once before traffic: the first prediction of a size is slow. */
const WARM_UP_ROWS = [1, 2, 4, 8, 16, 32];

/** Verifies and loads a package, then answers predict frames until its pipe closes. Runs inside the child. */
export async function runRunner({ task, send, onFrame, received }: ChildContext<'runner'>): Promise<void> {
  const { packageDirectory } = task;
  const { digest, content } = await verifyPackage(packageDirectory);
  const tf = loadTensorFlow();
  const model = await loadServedModel(tf, packageDirectory);
  globalThis.gc?.(); // copies of the weights
  replayGolden(model, GoldenPredictions.parse(JSON.parse(await readFile(join(packageDirectory, 'golden.json'), 'utf8'))));
  for (const rows of WARM_UP_ROWS) model.predict(blankRows(model, rows), rows);
  let predicted = 0;
  let others: Hosts | null = null;
  const explainer = createExplainer(tf, model, await readProfile(packageDirectory));
  const explanations = createExplanations({ explainer, received: () => received() + (others?.received() ?? 0), predicted: () => predicted });
  globalThis.gc?.();
  const answering = (send: Send): Host => {
    const explained = explanations.of(send);
    const onFrame: Host['onFrame'] = (frame, body) => {
      if (frame.kind === 'explain') explained.take(frame, () => rawRows(model, frame, body));
      if (frame.kind === 'cancel-explanation') explained.cancel(frame.id);
      if (frame.kind !== 'predict') return;
      predicted += 1;
      try {
        const outputs = model.predict(rawRows(model, frame, body), frame.rows);
        void send({ v: 1, kind: 'prediction', id: frame.id }, new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength));
      } catch (error) {
        void send({ v: 1, kind: 'refused', id: frame.id, message: error instanceof Error ? error.message : String(error) });
      }
    };
    return { onFrame, onGone: () => { explained.cancelAll(); } };
  };
  onFrame(answering(send).onFrame);
  if (task.listen !== undefined) others = await listenForHosts(task.listen, answering);
  await send({ v: 1, kind: 'ready', digest, model: content.model, signature: model.signature, ...(model.uncompiled === null ? {} : { uncompiled: model.uncompiled }) });
}

/** Rows that say nothing: black pictures, or rows in which all is missing. */
function blankRows({ preprocessing, preprocessor }: LoadedModel, rows: number): RawRows {
  return preprocessing.kind === 'image' ? new Uint8Array(rows * preprocessor.width) : Array.from({ length: rows }, () => []);
}

function rawRows({ preprocessing, preprocessor }: LoadedModel, { rows, datatype }: Pick<Extract<HostFrame, { kind: 'predict' }>, 'rows' | 'datatype'>, body: Uint8Array): RawRows {
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
