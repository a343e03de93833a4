import type { Signature } from '../../contract/package.js';

export interface Origin {
  readonly model: string; readonly version: number; readonly digest: string; readonly commit: string; readonly snapshot: string; readonly status: string;
  /** Where the rows came from, with the terms of use that the definition said. */
  readonly sources: readonly { readonly description: string; readonly terms?: string | undefined }[];
}

/** README of an exported package: how to use it, and what it was made of. */
export function readmeOf(name: string, origin: Origin, signature: Signature): string {
  const { model, version, digest, commit, snapshot, status } = origin;
  const isPicture = signature.inputs[0]?.shape.length === 3;
  return `${[
    `# ${name}`, '',
    `The model ${model}, version ${version}, with its preprocessing and types: for Node and for browsers. What it is for and how good it is stands in MODEL_CARD.md, on what terms its data may be used in TERMS.md.`, '',
    '```sh', `npm install ${name} @tensorflow/tfjs${isPicture ? ' sharp' : ''}`, '```', '',
    ...(isPicture ? ['In Node, `sharp` unpacks JPEG and WebP; PNG and plain pixels need nothing. A browser needs neither.', ''] : []),
    '```js', `import { load } from ${JSON.stringify(name)};`, '', 'const model = await load();', `const [answer] = await model.predict([${isPicture ? 'file' : exampleRow(signature)}]);`,
    signature.task === 'regression' ? `console.log(answer.value);` : 'console.log(answer.class, answer.probabilities);', 'model.dispose();', '```', '',
    ...(isPicture ? ['`file` is the bytes of a PNG, JPEG or WebP (`Uint8Array`, `ArrayBuffer`, `Blob`), or pixels as a canvas gives them (`ImageData`).', ''] : []),
    '`weights.bin` is read from beside the module. Where a bundler does not take it along (webpack and Vite do), tell where it is: `load({ weights: "/assets/weights.bin" })`. Another TensorFlow.js is used with `load({ tf })`.', '',
    '## How exact it is', '',
    'Rows are checked and become numbers by the code that trained the model and serves it. TensorFlow.js computes with 32-bit numbers: predictions are within 1e-4 of the server\'s. Phones whose graphics have only 16 bits are less exact there; `tf.setBackend("cpu")` or `"wasm"` is not.',
    ...(isPicture ? ['A browser unpacks JPEG and WebP itself, and may round a pixel otherwise than the server does; where that matters, send PNG or pixels.'] : []), '',
    'Nothing is logged, monitored or rolled back here: a prediction that should count is asked from a server.', '',
    '## What it was made of', '',
    '| | |', '|---|---|', `| version | ${model}@${version}, ${status} when it was exported |`, `| package | \`${digest}\` |`, `| commit | \`${commit}\` |`, `| snapshot | \`${snapshot}\` |`,
  ].join('\n')}\n`;
}

function exampleRow({ inputs }: Signature): string {
  const values = { number: '1', text: '"…"', boolean: 'true', time: '"2026-01-31T08:00:00Z"' } as const;
  return `{ ${inputs.map(({ name, type = 'number', allowed }) => `${JSON.stringify(name)}: ${allowed?.[0] !== undefined && type === 'text' ? JSON.stringify(allowed[0]) : values[type]}`).join(', ')} }`;
}

/** TERMS.md: what the definition says of the data's terms of use, and whose code is inside. */
export function termsOf({ model, version, sources }: Origin, notices: readonly { readonly name: string; readonly text: string }[]): string {
  return `${[
    '# Terms of use', '', `Perennial makes no claim on this model. ${model}@${version} was trained and judged on rows of these sources:`, '',
    ...sources.map(({ description, terms }) => `- ${description}: ${terms ?? 'the definition names no terms of use; ask the owner before you hand the model on'}`), '',
    '## Code inside', '', ...notices.flatMap(({ name, text }) => [`### ${name}`, '', '```text', text.trim(), '```', '']),
  ].join('\n')}`;
}
