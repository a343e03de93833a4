import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-node';
import { loadTensorFlow } from '../../runtime/tensorflow.js';

/**
 * What somebody would write who wants answers and nothing else: Node's HTTP server and TensorFlow in one process, everything that
 * has arrived computed together, up to 32 rows. No checks, no callers, no log, no versions. JSON of the protocol, or raw bytes.
 */
const [directory = ''] = process.argv.slice(2);
const BATCH = 32;
const PIXELS = 32 * 32 * 3;

const tf = loadTensorFlow();
const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as { modelTopology: object; weightsManifest: { weights: never[] }[] };
const weights = await readFile(join(directory, 'weights.bin'));
const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0]?.weights ?? [], weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) }));

interface Waiting { pixels: ArrayLike<number>; answer: (probabilities: Float32Array) => void }
const queue: Waiting[] = [];
let scheduled = false;

function compute(): void {
  scheduled = false;
  const batch = queue.splice(0, BATCH);
  const inputs = new Float32Array(batch.length * PIXELS);
  batch.forEach(({ pixels }, row) => { for (let index = 0; index < PIXELS; index += 1) inputs[row * PIXELS + index] = (pixels[index] ?? 0) / 255; });
  const flat = tf.tidy(() => (model.predictOnBatch(tf.tensor4d(inputs, [batch.length, 32, 32, 3])) as Tensor).dataSync() as Float32Array);
  const classes = flat.length / batch.length;
  batch.forEach(({ answer }, row) => { answer(flat.subarray(row * classes, (row + 1) * classes)); });
  if (queue.length > 0) schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(compute);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const binary = request.headers['content-type'] === 'application/octet-stream';
    const pixels = binary ? body : (JSON.parse(body.toString()) as { inputs: [{ data: number[] }] }).inputs[0].data;
    queue.push({
      pixels,
      answer: (probabilities) => {
        const text = JSON.stringify({ outputs: [{ name: 'probabilities', shape: [1, probabilities.length], datatype: 'FP32', data: [...probabilities] }] });
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
      },
    });
    schedule();
  });
});
for (const rows of [1, 2, 4, 8, 16, BATCH]) tf.tidy(() => (model.predictOnBatch(tf.zeros([rows, 32, 32, 3])) as Tensor).dataSync());
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
process.once('SIGTERM', () => process.exit(0));
