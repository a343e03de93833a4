import { PerennialError } from '../../contract/errors.js';
import type { Signature, SignatureInput } from '../../contract/package.js';
import { MOST_PIXELS } from '../../domain/resize.js';
import { openPictureFile } from '../../runtime/data/picture.js';
import type { PictureFile } from '../../runtime/data/picture.js';
import { ServingError, tooManyRows } from '../errors.js';
import { bytesOf } from './bytes.js';
import { refusePngBomb } from './png-bomb.js';
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
export async function unpackPictures(request: InferenceRequest, { inputs: [wanted] }: Signature, maximumRows: number): Promise<InferenceRequest> {
  if (wanted?.shape.length !== 3 || !request.inputs.some(({ datatype }) => datatype === 'BYTES')) return request;
  const inputs = await Promise.all(request.inputs.map((input) => (input.name === wanted.name && input.datatype === 'BYTES' ? unpack(input, wanted, maximumRows) : Promise.resolve(input))));
  return { ...request, inputs };
}

async function unpack(input: InferenceInput, wanted: SignatureInput, maximumRows: number): Promise<InferenceInput> {
  const { name } = input;
  const [height = 0, width = 0, channels = 0] = wanted.shape;
  const files = filesOf(input, maximumRows);
  const pictures: { readonly file: Uint8Array; readonly picture: PictureFile }[] = [];
  for (const file of files) pictures.push({ file, picture: await openPictureFile(file) });
  const pixels = pictures.reduce((sum, { picture: { size } }) => sum + (size ? size.height * size.width : 0), 0);
  if (pixels > MOST_PIXELS) throw new ServingError(413, `A request may hold ${MOST_PIXELS} pixels; the pictures of this one have ${pixels}.`);
  const data = new Uint8Array(files.length * height * width * channels);
  for (const [row, { file, picture }] of pictures.entries()) {
    await refusePngBomb(file, name);
    try {
      data.set(await picture.decode({ height, width, channels, resize: wanted.resize }, String(row)), row * height * width * channels);
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error;
      throw new ServingError(422, `Input "${name}", ${error.message}.`);
    }
  }
  return { name, shape: [files.length, height, width, channels], datatype: 'UINT8', data };
}

function filesOf({ name, data, shape: [count = 0] }: InferenceInput, maximumRows: number): Uint8Array[] {
  const elements: readonly unknown[] = Array.isArray(data) ? data.flat() : [];
  if (elements.length !== count) throw new ServingError(422, `Input "${name}" has ${elements.length} pictures where its shape says ${count}; encoded pictures have the shape [n].`);
  if (count > maximumRows) throw tooManyRows(count, maximumRows);
  return elements.map((element, row) => {
    const file = bytesOf(element);
    if (!file) throw new ServingError(422, `Input "${name}", picture ${row}: a picture as BYTES is {"b64": "…"}, or follows the JSON as bytes.`);
    return file;
  });
}
