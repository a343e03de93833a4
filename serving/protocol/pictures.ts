import { PerennialError } from '../../contract/errors.js';
import type { Signature } from '../../contract/package.js';
import { declaredSize } from '../../domain/png-size.js';
import { MOST_PIXELS } from '../../domain/resize.js';
import { decodePicture } from '../../runtime/data/picture.js';
import { ServingError } from '../errors.js';
import { bytesOf } from './bytes.js';
import type { InferenceInput, InferenceRequest } from './request.js';

/** A body that is a picture, as its file is: one row of a model that takes pictures. */
export class PictureBody {
  constructor(readonly file: Buffer) {}
}

/** The inference that a picture alone asks for. */
export function requestOfPicture({ file }: PictureBody, signature: Signature): InferenceRequest {
  const [input] = signature.inputs;
  if (!input || input.shape.length !== 3) throw new ServingError(422, 'The model takes columns, not a picture: send JSON.');
  return { inputs: [{ name: input.name, shape: [1], datatype: 'BYTES', data: [file] }] };
}

/**
 * Encoded pictures (`BYTES`, a file an element) as the pixels that the model takes, by the code that decoded the training's. Everything else is left as it is.
 * 422 where an element is no picture, or of another size and the model does not resize; 413 where there are too many pixels.
 */
export function unpackPictures(request: InferenceRequest, { inputs: [wanted] }: Signature, maximumRows: number): InferenceRequest {
  if (wanted?.shape.length !== 3) return request;
  return { ...request, inputs: request.inputs.map((input) => (input.name === wanted.name && input.datatype === 'BYTES' ? unpack(input) : input)) };

  function unpack({ name, data, shape: [count = 0] }: InferenceInput): InferenceInput {
    const [height = 0, width = 0, channels = 0] = wanted?.shape ?? [];
    const elements: readonly unknown[] = Array.isArray(data) ? data.flat() : [];
    if (elements.length !== count) throw new ServingError(422, `Input "${name}" has ${elements.length} pictures where its shape says ${count}; encoded pictures have the shape [n].`);
    if (count > maximumRows) throw new ServingError(413, `A request may hold ${maximumRows} rows; this one has ${count}. Send several, or use batch scoring.`);
    const files = elements.map((element, row) => {
      const file = bytesOf(element);
      if (!file) throw new ServingError(422, `Input "${name}", picture ${row}: a picture as BYTES is {"b64": "…"}, or follows the JSON as bytes.`);
      return file;
    });
    const pixels = files.reduce((sum, file) => sum + pixelsOf(file), 0);
    if (pixels > MOST_PIXELS) throw new ServingError(413, `A request may hold ${MOST_PIXELS} pixels; the pictures of this one have ${pixels}.`);
    const size = height * width * channels;
    const out = new Uint8Array(count * size);
    for (const [row, file] of files.entries()) out.set(decoded(name, file, row), row * size);
    return { name, shape: [count, height, width, channels], datatype: 'UINT8', data: out };
  }

  function decoded(name: string, file: Uint8Array, row: number): Uint8Array {
    const [height = 0, width = 0, channels = 0] = wanted?.shape ?? [];
    try {
      return decodePicture(file, { height, width, channels, resize: wanted?.resize }, String(row));
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error;
      throw new ServingError(422, `Input "${name}", ${error.message}.`);
    }
  }
}

const pixelsOf = (file: Uint8Array): number => {
  const size = declaredSize(file);
  return size ? size.height * size.width : 0;
};
