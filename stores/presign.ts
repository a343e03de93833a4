import { createHash, createHmac } from 'node:crypto';

export interface PresignRequest {
  readonly url: URL; readonly region: string; readonly seconds: number; readonly now: Date;
  readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string | undefined;
}

const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
const encoded = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * An address that lets its holder GET one object for `seconds` (at most 7 days).
 * AWS Signature Version 4, authenticating requests by query parameters.
 */
export function presignGet({ url, region, seconds, now, accessKeyId, secretAccessKey, sessionToken }: PresignRequest): string {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': `${accessKeyId}/${scope}`, 'X-Amz-Date': time, 'X-Amz-Expires': String(seconds),
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }), 'X-Amz-SignedHeaders': 'host',
  }).map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort().join('&');
  const path = url.pathname.split('/').map((part) => encoded(decodeURIComponent(part))).join('/');
  const canonical = ['GET', path, query, `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), 's3'), 'aws4_request');
  return `${url.origin}${path}?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}
