import { randomUUID } from 'node:crypto';
import { isWithinBounds, parseJson } from './json.js';
import { Datatype } from './request.js';
import { isNumeric } from './tensor.js';

/** Shorter bodies are read in a moment by whatever reads them. */
const WORTH_BYTES = 1_024;
const KEY = Buffer.from('"data":');
/** Stands for the numbers while the rest is parsed; no caller knows it. */
const STAND_IN = randomUUID();
const DEEPEST = 8;
const [TAB, NEW_LINE, RETURN, SPACE, COMMA, ZERO, NINE, OPENS, BACKSLASH, CLOSES] = [0x09, 0x0a, 0x0d, 0x20, 0x2c, 0x30, 0x39, 0x5b, 0x5c, 0x5d] as const;

/**
 * The JSON of an inference request's body, as {@link parseJson} gives it, but for one thing: where its only input holds nothing but whole numbers from 0 to 255, as pictures do, flat or
 * nested as its shape says, its `data` is a Uint8Array, read from the body's bytes straight away. What is not plainly of that form is left to {@link parseJson}, and with it every error.
 */
export function parseRequestJson(body: Buffer): unknown {
  return (body.length < WORTH_BYTES ? null : withBytes(body)) ?? parseJson(body);
}

function withBytes(body: Buffer): object | null {
  const key = body.indexOf(KEY);
  // Behind a backslash the quote is one inside of a longer name.
  if (key < 1 || body[key - 1] === BACKSLASH) return null;
  const start = skipSpace(body, key + KEY.length);
  const read = readBytes(body, start);
  if (!read || body.includes(KEY, read.end)) return null;
  const rest = `${body.toString('utf8', 0, start)}"${STAND_IN}"${body.toString('utf8', read.end)}`;
  if (!isWithinBounds(body.length, rest, read.lists)) return null;
  const request = parsed(rest);
  const input = onlyInput(request);
  if (!input || !('data' in input) || input.data !== STAND_IN || !isOf(input, read.shape)) return null;
  input.data = read.bytes;
  return request;
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // no JSON, which is told of the whole body
  }
}

function onlyInput(request: object | null): object | null {
  if (!request || !('inputs' in request) || !Array.isArray(request.inputs) || request.inputs.length !== 1) return null;
  const inputs: readonly unknown[] = request.inputs;
  const [input] = inputs;
  return typeof input === 'object' ? input : null;
}

/** Whether the input is one of numbers, and nested data is nested as its shape says. */
function isOf(input: object, nesting: readonly number[]): boolean {
  const datatype = Datatype.safeParse('datatype' in input ? input.datatype : undefined).data;
  if (datatype === undefined || !isNumeric(datatype)) return false;
  if (nesting.length === 1) return true;
  const shape: readonly unknown[] = 'shape' in input && Array.isArray(input.shape) ? input.shape : [];
  return shape.length === nesting.length && nesting.every((size, depth) => size === shape[depth]);
}

/** `shape`: of the arrays in one another that held the bytes; `lists`: how many these were; `end`: behind the outermost. */
interface Read { readonly bytes: Uint8Array; readonly shape: readonly number[]; readonly lists: number; readonly end: number }

/** Arrays of arrays of one size each, of whole numbers from 0 to 255 as JSON writes them; null where something else stands there. */
function readBytes(body: Buffer, start: number): Read | null {
  const bytes = new Uint8Array((body.length - start) >> 1); // a digit and what is behind it, each
  const shape: number[] = [];
  const sizes: number[] = [];
  let count = 0;
  let lists = 0;
  let depth = 0;
  let deepest = 0;
  for (let at = start; ;) {
    for (; body[at] === OPENS; at = skipSpace(body, at + 1)) {
      if (++depth > DEEPEST) return null;
      lists += 1;
      sizes[depth] = 0;
    }
    if (depth === 0 || (deepest !== 0 && depth !== deepest)) return null;
    deepest = depth;
    const first = count;
    for (let byte = body[at] ?? 0; ; byte = body[at] ?? 0) {
      if (byte < ZERO || byte > NINE) return null;
      let value = byte - ZERO;
      byte = body[++at] ?? 0;
      while (byte >= ZERO && byte <= NINE) {
        if (value === 0) return null; // no JSON
        value = value * 10 + byte - ZERO;
        if (value > 255) return null;
        byte = body[++at] ?? 0;
      }
      bytes[count++] = value;
      if (byte <= SPACE) byte = body[at = skipSpace(body, at)] ?? 0;
      if (byte === CLOSES) break;
      if (byte !== COMMA) return null;
      if ((body[++at] ?? 0) <= SPACE) at = skipSpace(body, at);
    }
    for (let size = count - first; ; size = sizes[depth] ?? 0) {
      at = skipSpace(body, at + 1);
      if ((shape[depth - 1] ??= size) !== size) return null;
      depth -= 1;
      if (depth === 0) return { bytes: bytes.subarray(0, count), shape, lists, end: at };
      sizes[depth] = (sizes[depth] ?? 0) + 1;
      if (body[at] === CLOSES) continue;
      if (body[at] !== COMMA) return null;
      at = skipSpace(body, at + 1);
      if (body[at] !== OPENS) return null;
      break;
    }
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === SPACE || byte === NEW_LINE || byte === RETURN || byte === TAB; byte = body[at]) at += 1;
  return at;
}
