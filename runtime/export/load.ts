import type { Preprocessing, Signature } from '../../contract/package.js';
import { sha256Hex } from '../../domain/digest.js';
import { answersOf } from '../../domain/outputs.js';
import type { Answer } from '../../domain/outputs.js';
import { openNetwork } from '../network.js';
import type { AnyTensorFlow, NetworkFile } from '../network.js';
import { createPredictor } from '../predictor.js';
import type { RawRows } from '../preprocess.js';

/** What an exported package holds besides its weights. */
export interface Exported {
  readonly model: string; readonly version: number; readonly digest: string;
  readonly signature: Signature; readonly preprocessing: Preprocessing; readonly network: NetworkFile;
  readonly weights: { readonly sha256: string; readonly bytes: number };
}

export interface LoadOptions {
  /** TensorFlow.js, where the caller has it already. */
  readonly tf?: AnyTensorFlow;
  /** Where `weights.bin` is, or its bytes. */
  readonly weights?: string | URL | Uint8Array;
}

/** A loaded model; its types for callers are made by `types.ts`. */
export interface Model {
  readonly model: string; readonly version: number; readonly digest: string; readonly signature: Signature;
  predict(rows: readonly unknown[]): Promise<Answer[]>;
  dispose(): void;
}

export interface Platform {
  readonly readWeights: (from: string | URL | undefined) => Promise<Uint8Array>;
  readonly tensorFlow: () => Promise<AnyTensorFlow>;
  /** Raw rows as training and servers read them. Throws where one does not fit the signature. */
  readonly read: (rows: readonly unknown[], exported: Exported) => Promise<RawRows>;
}

/** Rows of one pass through the network: more would only take memory. */
const AT_ONCE = 256;

/** What an exported package's `load` is. It refuses weights that are not those of the version. */
export function createLoad(exported: Exported, { readWeights, tensorFlow, read }: Platform) {
  return async ({ tf, weights: given }: LoadOptions = {}): Promise<Model> => {
    const { model, version, digest, signature, preprocessing } = exported;
    const weights = given instanceof Uint8Array ? given : await readWeights(given);
    const found = sha256Hex(weights);
    if (found !== exported.weights.sha256) throw new Error(`the weights of ${model}@${version} have the sha256 ${exported.weights.sha256}; these ${weights.byteLength} bytes have ${found}`);
    const engine = tf ?? await tensorFlow();
    const network = await openNetwork(engine, exported.network, weights);
    const { preprocessor: { apply, width }, forward, outputsOf } = createPredictor(engine, network, { signature, preprocessing });

    async function predictSome(rows: readonly unknown[]): Promise<Answer[]> {
      const inputs = new Float32Array(rows.length * width);
      apply(await read(rows, exported), 0, rows.length, inputs, 0);
      const tensor = forward(inputs, rows.length);
      try {
        return answersOf(signature, outputsOf(await tensor.data() as Float32Array));
      } finally {
        tensor.dispose();
      }
    }

    return {
      model, version, digest, signature,
      async predict(rows) {
        const answers: Answer[] = [];
        for (let from = 0; from < rows.length; from += AT_ONCE) answers.push(...await predictSome(rows.slice(from, from + AT_ONCE)));
        return answers;
      },
      dispose: network.dispose,
    };
  };
}
