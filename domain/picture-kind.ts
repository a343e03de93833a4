/** Kinds of picture files that are read. */
export const PICTURE_KINDS = { png: 'PNG', jpeg: 'JPEG', webp: 'WebP' } as const;
export type PictureKind = keyof typeof PICTURE_KINDS;

/** Said of a file that is none of them. */
export const NO_PICTURE = `no ${Object.values(PICTURE_KINDS).join(', ').replace(/, (?=[^,]*$)/, ' or ')} picture`;

/**
 * What a file's first bytes say that it is, whatever its name; null where it is no picture that is read. PNG specification, 5.2;
 * ITU-T T.81, B.1.1.3: a JPEG begins with SOI and another marker; WebP: a RIFF file of this form (RFC 9649, 2.4).
 */
export function pictureKind(file: Uint8Array): PictureKind | null {
  const holds = (at: number, ...bytes: number[]) => file.length >= at + bytes.length && bytes.every((byte, index) => file[at + index] === byte);
  if (holds(0, 0x89, 0x50, 0x4e, 0x47)) return 'png';
  if (holds(0, 0xff, 0xd8, 0xff) && (file[3] ?? 0) >= 0xc0 && file[3] !== 0xff) return 'jpeg';
  if (holds(0, 0x52, 0x49, 0x46, 0x46) && holds(8, 0x57, 0x45, 0x42, 0x50)) return 'webp';
  return null;
}
