import { UnreadablePicture } from './unreadable-picture.js';
import type { Photo } from './unreadable-picture.js';

interface Bitmap { readonly width: number; readonly height: number; close(): void }
interface Canvas2d { drawImage(bitmap: Bitmap, x: number, y: number): void; getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray } }
declare const createImageBitmap: (file: Blob, options: { readonly colorSpaceConversion: 'none'; readonly imageOrientation: 'from-image'; readonly premultiplyAlpha: 'none' }) => Promise<Bitmap>;
declare const OffscreenCanvas: new (width: number, height: number) => { getContext(kind: '2d', options: { readonly willReadFrequently: boolean }): Canvas2d | null };

/**
 * `photo.ts` for browsers, whose own decoder reads JPEG and WebP: upright, and without applying colour profiles. What is transparent loses digits on its
 * way through a canvas, and inks (CMYK) become colours as the browser likes; all else is what training saw, up to what two decoders round differently.
 * @throws UnreadablePicture
 */
export async function openPhoto(file: Uint8Array): Promise<Photo> {
  let bitmap: Bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([Uint8Array.from(file)]), { colorSpaceConversion: 'none', imageOrientation: 'from-image', premultiplyAlpha: 'none' });
  } catch (cause) {
    throw new UnreadablePicture(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const { height, width } = bitmap;
  const decode = async () => {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new UnreadablePicture('this browser has no canvas to decode it on');
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return new Uint8Array(context.getImageData(0, 0, width, height).data);
  };
  return { height, width, channels: 4, decode };
}
