import { z } from 'zod';

/** Bytes in JSON, as TensorFlow Serving writes them. */
export const Base64 = z.strictObject({ b64: z.base64() });

/** The bytes of an element that came as bytes or as `{"b64": …}`; null where it is something else. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  const encoded = Base64.safeParse(value);
  return encoded.success ? Buffer.from(encoded.data.b64, 'base64') : null;
}
