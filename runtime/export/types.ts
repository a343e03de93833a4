import type { Signature, SignatureInput } from '../../contract/package.js';

const NAMED_CATEGORIES = 50;
const TYPES = { number: 'number', text: 'string', boolean: 'boolean', time: 'string' } as const;
const SAID = { number: 'A finite number.', text: 'A text.', boolean: 'True or false.', time: 'An ISO 8601 time with an offset, or a date.' } as const;

/** `index.d.ts` of an exported package: the model's own columns and classes as types. Needs no other types. */
export function typesOf(signature: Signature): string {
  const [first] = signature.inputs;
  const isPicture = first?.shape.length === 3;
  return `${[
    ...(isPicture ? pictureRow(first) : ['export interface Row {', ...signature.inputs.flatMap(columnLines), '}']),
    '',
    ...answerLines(signature),
    '',
    'export interface Model {',
    '  readonly model: string;',
    '  readonly version: number;',
    '  /** Digest of the package that this was made of, as the registry has it. */',
    '  readonly digest: string;',
    '  /** The answers, in the order of the rows. Rejects where a row is not what the model takes. */',
    '  predict(rows: readonly Row[]): Promise<Answer[]>;',
    '  /** Gives the memory of the network back. */',
    '  dispose(): void;',
    '}',
    '',
    'export interface LoadOptions {',
    '  /** TensorFlow.js, where it is loaded already; else `@tensorflow/tfjs` is imported. */',
    '  readonly tf?: object;',
    '  /** Where `weights.bin` is, or its bytes; else it is read from beside this module. */',
    '  readonly weights?: string | URL | Uint8Array;',
    '}',
    '',
    '/** Loads network and weights, and refuses weights that are not those of this version. */',
    'export function load(options?: LoadOptions): Promise<Model>;',
  ].join('\n')}\n`;
}

function pictureRow({ shape: [height = 0, width = 0, channels = 0], resize }: SignatureInput): string[] {
  return [
    `/** A picture${resize === undefined ? ` of ${width} × ${height} pixels` : `; one that is not ${width} × ${height} is resized`}: the bytes of a PNG, JPEG or WebP, or pixels as a canvas gives them. The model sees ${channels === 1 ? 'grey' : 'colours'}. */`,
    'export type Row = Uint8Array | ArrayBuffer | Blob | { readonly width: number; readonly height: number; readonly data: Uint8Array | Uint8ClampedArray };',
  ];
}

function columnLines({ name, type = 'number', nullable = false, allowed }: SignatureInput): string[] {
  const listed = type === 'text' && allowed && allowed.length <= NAMED_CATEGORIES ? union(allowed) : TYPES[type];
  return [`  /** ${SAID[type]}${nullable ? ' Left out or null: missing.' : ''} */`, `  readonly ${JSON.stringify(name)}${nullable ? '?' : ''}: ${listed}${nullable ? ' | null' : ''};`];
}

function answerLines(signature: Signature): string[] {
  if (signature.task === 'regression') return ['export interface Answer {', `  /** ${signature.target.replaceAll('*/', '* /')}, in its own unit. */`, '  readonly value: number;', '}'];
  return [
    `export type Class = ${union(signature.classes)};`, '',
    'export interface Answer {', '  /** The most probable class. */', '  readonly class: Class;',
    `  /** Of the classes in this order: ${signature.classes.join(', ').replaceAll('*/', '* /')}. */`, '  readonly probabilities: number[];', '}',
  ];
}

const union = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(' | ');
