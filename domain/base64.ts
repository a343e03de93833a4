const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** Base64 with padding (RFC 4648, section 4). Own code, because a workflow has neither Buffer nor btoa. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const [a, b, c] = [bytes[index] ?? 0, bytes[index + 1], bytes[index + 2]];
    const group = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    text += letter(group >>> 18) + letter(group >>> 12) + (b === undefined ? '=' : letter(group >>> 6)) + (c === undefined ? '=' : letter(group));
  }
  return text;
}

/** The bytes of padded base64, or null for anything else; bits left over must be zero, so that bytes have one text only. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let [bits, held, written] = [0, 0, 0];
  for (const character of text.slice(0, text.length - padding)) {
    const value = VALUES.get(character);
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[written] = (bits >>> held) & 0xff;
      written += 1;
    }
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null;
}

function letter(bits: number): string {
  return ALPHABET.charAt(bits & 63);
}
