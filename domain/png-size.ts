/** Name of the first chunk of a PNG (PNG specification, 11.2.1). */
const IHDR = 0x49484452;

/** What a PNG's header says of its size, before anything is unpacked: a small file may declare gigabytes. Null where there is no such header. */
export function declaredSize(file: Uint8Array): { readonly width: number; readonly height: number } | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return file.length >= 24 && view.getUint32(12) === IHDR ? { width: view.getUint32(16), height: view.getUint32(20) } : null;
}
