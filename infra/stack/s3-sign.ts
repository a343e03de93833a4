import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

const emptyBodySha256 = createHash('sha256').update('').digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * Headers that sign a request without body or query (AWS Signature Version 4): enough to ask whether a bucket is there,
 * without the AWS SDK in the supervisor's memory.
 * Source: AWS, "Signature Version 4 signing process", example of an S3 request.
 */
export function signRequest(method: 'HEAD' | 'GET' | 'PUT', url: URL, credentials: S3Credentials, now: Date): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${credentials.region}/s3/aws4_request`;
  const headers = { host: url.host, 'x-amz-content-sha256': emptyBodySha256, 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const canonical = [method, url.pathname, '', ...Object.entries(headers).map(([name, value]) => `${name}:${value}`), '', names, emptyBodySha256].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = ['aws4_request', 's3', credentials.region, day].reduceRight<Buffer | string>((sofar, part) => hmac(sofar, part), `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return {
    'x-amz-content-sha256': headers['x-amz-content-sha256'],
    'x-amz-date': time,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}
