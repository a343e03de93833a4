import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { diskFull } from '../contract/disk-full.js';
import { PerennialError } from '../contract/errors.js';

/** An object that somebody else wrote; `etag` changes with its content. */
export interface LocatedObject { readonly uri: string; readonly bytes: number; readonly etag: string }
type Asking = <T>(doing: string, fn: () => Promise<T>) => Promise<T>;

/** Objects of any bucket that the same credentials reach: what people put there, whose digest nobody knows beforehand. Part of the artifacts. */
export function createLocatedObjects(client: S3Client, asking: Asking) {
  async function body(uri: string): Promise<Readable> {
    const { bucket, key } = parseUri(uri);
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (!(answer.Body instanceof Readable)) throw new PerennialError('storage/missing', `${uri} came without a body`);
    return answer.Body;
  }

  return {
    /** Objects whose address begins with `uri`, by address. A bucket that is not there is empty. */
    async *listObjects(uri: string): AsyncGenerator<LocatedObject, void, undefined> {
      const { bucket, key } = parseUri(uri);
      let token: string | undefined;
      do {
        const page = await asking(`Listing ${uri}`, async () => {
          try {
            return await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ...(token === undefined ? {} : { ContinuationToken: token }) }));
          } catch (error) {
            if (error instanceof Error && error.name === 'NoSuchBucket') return { Contents: [], NextContinuationToken: undefined };
            throw error;
          }
        });
        for (const { Key, Size, ETag } of page.Contents ?? []) if (Key !== undefined) yield { uri: `s3://${bucket}/${Key}`, bytes: Size ?? 0, etag: ETag ?? '' };
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },

    async readObject(uri: string): Promise<Uint8Array> {
      return asking(`Reading ${uri}`, async () => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of await body(uri)) chunks.push(chunk as Uint8Array);
        return Buffer.concat(chunks);
      });
    },

    /** Streams to a file, which appears as a whole. */
    async readObjectToFile(uri: string, path: string): Promise<void> {
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${randomUUID()}.tmp`;
      await asking(`Reading ${uri}`, async () => {
        try {
          await pipeline(await body(uri), createWriteStream(temporary, { flags: 'wx' }));
          await rename(temporary, path);
        } catch (error) {
          throw diskFull(error, path) ?? error;
        } finally {
          await rm(temporary, { force: true });
        }
      });
    },
  };
}

function parseUri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  if (!match) throw new PerennialError('storage/missing', `${uri} is not an address of the form s3://bucket/key`, { uri });
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
}
