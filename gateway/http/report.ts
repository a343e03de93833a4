import { z } from 'zod';
import { Sha256 } from '../../contract/ref.js';
import { Answer } from './route.js';

/** A stored report's address: `DIGEST.html` or `DIGEST.json`. */
export const ReportParams = z.strictObject({ file: z.string().regex(/^[0-9a-f]{64}\.(html|json)$/, 'a sha256 and .html or .json') });

export function parseReportFile(file: string): { digest: Sha256; extension: 'html' | 'json' } {
  const [digest, extension] = file.split('.') as [string, 'html' | 'json'];
  return { digest: Sha256.parse(digest), extension };
}

/** A report's bytes as a browser may show them: nothing in them runs or loads anything. */
export function reportAnswer(bytes: Uint8Array, extension: 'html' | 'json'): Answer {
  return new Answer(200, Buffer.from(bytes), {
    'content-type': extension === 'html' ? 'text/html; charset=utf-8' : 'application/json',
    'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox", 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-store',
  });
}
