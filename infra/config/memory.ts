import { totalmem } from 'node:os';

export const MEMORY_FORM = 'a size such as 6GiB or 1500MiB, a number of bytes, or a share of the machine\'s memory such as 70%';
const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Memory that this process may use at all: the machine's, or what its container is held to. */
function machineBytes(): number {
  const held = process.constrainedMemory(); // 0, or more than there is: not held
  return held > 0 ? Math.min(held, totalmem()) : totalmem();
}

/** Bytes of a size, or of a share of the memory there is; null where the text is neither. */
export function memoryBytes(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB|%)?$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (unit === '%' ? machineBytes() / 100 : UNITS[unit] ?? NaN));
  const isThere = bytes > 0 && (unit !== '%' || Number(number) <= 100);
  return isThere ? bytes : null;
}
