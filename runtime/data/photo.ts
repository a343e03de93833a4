import type { Sharp, SharpOptions } from 'sharp';
import { MOST_PIXELS } from '../../domain/resize.js';
import { UnreadablePicture } from './unreadable-picture.js';
import type { Photo } from './unreadable-picture.js';

/** What cameras of some makers write in every file, and no decoder needs: the picture is whole. */
const HARMLESS = 'Invalid SOS parameters for sequential JPEG';

/**
 * Reads a JPEG's or WebP's header, so that its size can be judged before anything is unpacked. Colour profiles are not applied, as
 * the usual libraries of training do not either: the pixels are those that Pillow and TensorFlow see, bit by bit, on every machine.
 * @throws UnreadablePicture
 */
export async function openPhoto(file: Uint8Array): Promise<Photo> {
  const { default: sharp } = await import('sharp');
  const options = { ignoreIcc: true, limitInputPixels: MOST_PIXELS } satisfies SharpOptions;
  const { channels, space, pages = 1, autoOrient: { height, width } } = await readable(sharp(file, { ...options, limitInputPixels: false }).metadata());
  if (pages > 1) throw new UnreadablePicture(`an animation of ${pages} pictures`);
  const isCmyk = space === 'cmyk';
  const raw = async (failOn: 'warning' | 'truncated') => {
    const upright = sharp(file, { ...options, failOn }).autoOrient();
    return readable(inItsColours(upright, isCmyk ? 'cmyk' : channels < 3 ? 'b-w' : 'srgb').raw().toBuffer());
  };
  const decode = async () => {
    const pixels = await raw('warning').catch((error: unknown) => {
      if (error instanceof UnreadablePicture && error.message === HARMLESS) return raw('truncated');
      throw error;
    });
    return isCmyk ? rgbOfCmyk(pixels) : pixels;
  };
  return { height, width, channels: isCmyk ? 3 : channels, decode };
}

/** Without the first step, the library would bring CMYK to RGB by a profile of its own. */
function inItsColours(picture: Sharp, space: 'cmyk' | 'b-w' | 'srgb'): Sharp {
  return (space === 'cmyk' ? picture.pipelineColourspace(space) : picture).toColourspace(space);
}

/** Inks without a profile, as Pillow takes them: each lets through its share of what black leaves. */
function rgbOfCmyk(inks: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(inks.length / 4 * 3);
  for (let pixel = 0; pixel < inks.length / 4; pixel += 1) {
    const light = 255 - (inks[pixel * 4 + 3] ?? 0);
    for (let ink = 0; ink < 3; ink += 1) rgb[pixel * 3 + ink] = light - Math.round((inks[pixel * 4 + ink] ?? 0) * light / 255);
  }
  return rgb;
}

/** The library's errors have a line for each thing that it tried; the first says what is wrong. */
async function readable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new UnreadablePicture(line.replace(/^Input buffer has corrupt header: /, '').replace(/^(VipsJpeg|webp|webp2vips): /, ''), { cause });
  }
}
