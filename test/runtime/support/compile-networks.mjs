// Compiles networks of many kinds and says of each why not, how far its outputs are from the layers' for batches of several sizes, and what
// a gradient is. One JSON line. TensorFlow is in a process of its own.
import { compileNetwork } from '../../../dist/runtime/compile/compile-network.js';
import { openNetwork } from '../../../dist/runtime/network.js';
import { loadTensorFlow } from '../../../dist/runtime/tensorflow.js';

const tf = loadTensorFlow();
const { layers } = tf;
const sequential = (...stack) => tf.sequential({ layers: stack });
const initial = (seed) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }), biasInitializer: tf.initializers.randomNormal({ seed: seed + 1, stddev: 0.3 }) });

/** Batch normalisation whose numbers are not those it begins with. */
function normalised() {
  const network = sequential(layers.conv2d({ inputShape: [9, 9, 2], filters: 4, kernelSize: 3, ...initial(11) }), layers.batchNormalization(), layers.activation({ activation: 'relu' }), layers.globalAveragePooling2d({}), layers.dense({ units: 3, activation: 'softmax', ...initial(13) }));
  const [, normalisation] = network.layers;
  normalisation.setWeights(normalisation.getWeights().map((weight, index) => tf.randomUniform(weight.shape, 0.5, 1.5, 'float32', index)));
  return network;
}

/** Two ways through, joined. */
function branched() {
  const input = tf.input({ shape: [6] });
  const one = layers.dense({ units: 4, activation: 'tanh', ...initial(17) }).apply(input);
  const other = layers.dense({ units: 4, activation: 'sigmoid', ...initial(19) }).apply(input);
  const joined = layers.concatenate().apply([layers.add().apply([one, other]), layers.multiply().apply([one, other])]);
  return tf.model({ inputs: input, outputs: layers.dense({ units: 1, ...initial(23) }).apply(joined) });
}

const NETWORKS = {
  pictures: () => sequential(
    layers.conv2d({ inputShape: [16, 16, 3], filters: 5, kernelSize: 3, activation: 'relu', ...initial(1) }), layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', strides: 2, activation: 'relu6', ...initial(3) }), layers.averagePooling2d({ poolSize: 2 }),
    layers.flatten(), layers.dropout({ rate: 0.4 }), layers.dense({ units: 7, activation: 'elu', ...initial(5) }), layers.dense({ units: 3, activation: 'softmax', ...initial(7) }),
  ),
  separable: () => sequential(layers.separableConv2d({ inputShape: [8, 8, 2], filters: 4, kernelSize: 3, activation: 'relu' }), layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }), layers.flatten(), layers.dense({ units: 2, activation: 'softmax', ...initial(29) })),
  normalised,
  branched,
  table: () => sequential(layers.dense({ inputShape: [12], units: 16, activation: 'relu', ...initial(31) }), layers.dense({ units: 8, activation: 'tanh', ...initial(33) }), layers.dense({ units: 1, ...initial(35) })),
  reshaped: () => sequential(layers.reshape({ inputShape: [12], targetShape: [3, 4] }), layers.permute({ dims: [2, 1] }), layers.conv1d({ filters: 3, kernelSize: 2, activation: 'relu', ...initial(37) }), layers.flatten(), layers.dense({ units: 2, activation: 'softmax', ...initial(39) })),
  // Its first state is as long as the batch.
  recurrent: () => sequential(layers.lstm({ inputShape: [4, 3], units: 5 }), layers.dense({ units: 1, ...initial(41) })),
};

const SIZES = [1, 2, 7, 64];
const found = {};
for (const [name, build] of Object.entries(NETWORKS)) {
  let saved;
  await build().save(tf.io.withSaveHandler(async (artifacts) => { saved = artifacts; return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }; }));
  const network = await openNetwork(tf, { modelTopology: saved.modelTopology, weightsManifest: [{ weights: saved.weightSpecs }] }, new Uint8Array(saved.weightData));
  const shape = network.inputs[0].shape.slice(1);
  const { network: compiled, why } = await compileNetwork(tf, network, shape);
  const before = tf.memory().numTensors;
  const distances = SIZES.map((rows) => tf.tidy(() => {
    const inputs = tf.randomNormal([rows, ...shape], 0, 2, 'float32', rows);
    return tf.max(tf.abs(tf.sub(network.run(inputs), compiled.run(inputs)))).dataSync()[0];
  }));
  const gradient = tf.tidy(() => tf.max(tf.abs(tf.grad((inputs) => tf.sum(tf.square(compiled.traced(inputs))))(tf.randomNormal([2, ...shape], 0, 1, 'float32', 5)))).dataSync()[0]);
  found[name] = { why, isCompiled: compiled.run !== network.run, distance: Math.max(...distances), gradient, kept: tf.memory().numTensors - before };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
