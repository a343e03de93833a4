/** A JPEG or WebP that is damaged, or of a form that is not read; the message says how. */
export class UnreadablePicture extends Error {}

/** A JPEG or WebP of which only the header was read. Height and width are of the upright picture; `channels`: 1 grey, 3 RGB, 4 RGB with transparency. */
export interface Photo {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /**
   * Bytes `[height, width, channels]` of the upright picture.
   * @throws UnreadablePicture also where it has more than `MOST_PIXELS` pixels
   */
  decode(): Promise<Uint8Array>;
}
