import { decode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { NO_PICTURE, pictureKind } from '../domain/picture-kind.js';
import { openPhoto } from '../runtime/data/photo.js';

/** A picture as a model takes it; a height or width below 0 is any. */
export interface WantedPicture { readonly height: number; readonly width: number; readonly channels: number }

/** Raw pixels of a PNG, JPEG or WebP with its size, height × width × channels, 0..255; grey becomes three equal channels where three are asked for, and alpha is dropped. */
export async function pixelsOf(file: Uint8Array, { height, width, channels }: WantedPicture): Promise<{ readonly shape: [number, number, number]; readonly pixels: number[] }> {
  const image = await decoded(file);
  if ((height >= 0 && image.height !== height) || (width >= 0 && image.width !== width)) throw new RangeError(`the picture is ${image.width} × ${image.height} pixels, the model takes ${width} × ${height}`);
  if (image.depth !== 8) throw new RangeError(`the picture has ${image.depth} bits a channel, the model takes 8`);
  const colours = image.channels >= 3 ? 3 : 1;
  if (colours === 3 && channels === 1) throw new RangeError('the picture is coloured, the model takes grey');
  const palette = image.palette;
  const pixels: number[] = [];
  for (let index = 0; index < image.height * image.width; index += 1) {
    const colour = palette?.[image.data[index] ?? 0];
    for (let channel = 0; channel < channels; channel += 1) pixels.push(colour ? (colour[channel] ?? 0) : (image.data[index * image.channels + Math.min(channel, colours - 1)] ?? 0));
  }
  return { shape: [image.height, image.width, channels], pixels };
}

async function decoded(file: Uint8Array): Promise<Pick<DecodedPng, 'height' | 'width' | 'channels' | 'depth' | 'data' | 'palette'>> {
  const kind = pictureKind(file);
  if (kind === null) throw new RangeError(NO_PICTURE);
  if (kind === 'png') return decode(file);
  const photo = await openPhoto(file);
  return { ...photo, depth: 8, data: await photo.decode() };
}
