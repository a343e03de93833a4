import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { diskFull } from '../contract/disk-full.js';
import { PerennialError } from '../contract/errors.js';
import type { Ref } from '../contract/ref.js';
import { checked, held, measure, unchanged, type Measured, type Source } from './artifact-bytes.js';
import { statusOf, translateStorageError } from './artifact-errors.js';
import { createLocatedObjects } from './located-objects.js';
import { presignGet } from './presign.js';

/** Where artifacts are. Without `endpoint`: AWS. Without keys: the AWS SDK's own chain of credentials. */
export interface ArtifactsConfig {
  readonly endpoint?: string | undefined; readonly region: string; readonly bucket: string; readonly forcePathStyle?: boolean | undefined;
  readonly accessKeyId?: string | undefined; readonly secretAccessKey?: string | undefined; readonly sessionToken?: string | undefined;
}

const MULTIPART_FROM = 16 * 1024 * 1024;
const PART = 8 * 1024 * 1024;
const DELETE_AT_ONCE = 1_000;
const BYTES = 'application/octet-stream';

/**
 * Artifacts in S3. Errors: `storage/unavailable` (again later), `storage/full` (of this machine's disk), `storage/missing` (no such object), `storage/digest-mismatch` (the bytes are not those of the reference).
 */
export function createArtifacts(config: ArtifactsConfig) {
  const { bucket, region, endpoint } = config;
  const pathStyle = config.forcePathStyle ?? endpoint !== undefined;
  const client = new S3Client({
    region, forcePathStyle: pathStyle, maxAttempts: 3,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(config.accessKeyId === undefined || config.secretAccessKey === undefined ? {} : {
      credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey, ...(config.sessionToken === undefined ? {} : { sessionToken: config.sessionToken }) },
    }),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
    // Every object is checked against the sha256 of its reference; the SDK's own CRC32 would be computed beside it.
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
  });

  async function asking<T>(doing: string, fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      throw translateStorageError(error, doing);
    }
  }

  function keyOf(ref: Pick<Ref, 'uri'>): string {
    const prefix = `s3://${bucket}/`;
    if (!ref.uri.startsWith(prefix)) throw new PerennialError('storage/missing', `${ref.uri} is not in the bucket ${bucket}`, { uri: ref.uri });
    return ref.uri.slice(prefix.length);
  }
  const refOf = (key: string, { sha256, bytes }: Measured): Ref => ({ uri: `s3://${bucket}/${key}`, sha256, bytes });

  /** With `once`, an object that is there already stays, and that is fine. */
  async function upload(key: string, source: Source, measured: Measured, contentType: string, once: boolean): Promise<void> {
    const common = { Bucket: bucket, Key: key, ContentType: contentType, ...(once ? { IfNoneMatch: '*' } : {}) };
    await asking(`Writing s3://${bucket}/${key}`, async () => {
      try {
        if (measured.bytes < MULTIPART_FROM) {
          const body = typeof source === 'string' ? await readFile(source) : source;
          await client.send(new PutObjectCommand({ ...common, Body: body, ContentLength: body.byteLength, ChecksumSHA256: Buffer.from(measured.sha256, 'hex').toString('base64') }));
        } else {
          // Parts carry their own checksums; the whole is held against its digest while it is read.
          const body = typeof source === 'string' ? unchanged(source, measured) : source;
          await new Upload({ client, params: { ...common, Body: body, ChecksumAlgorithm: 'SHA256' }, partSize: PART, queueSize: 3 }).done();
        }
      } catch (error) {
        if (!(once && statusOf(error) === 412)) throw error;
      }
    });
  }

  async function exists(key: string): Promise<boolean> {
    return asking(`Looking for s3://${bucket}/${key}`, async () => {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    });
  }

  async function* read(ref: Ref): AsyncGenerator<Uint8Array, void, undefined> {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(ref) }));
    if (answer.Body === undefined) throw new PerennialError('storage/missing', `${ref.uri} came without a body`);
    yield* checked(answer.Body as AsyncIterable<Uint8Array>, ref, (found) => new PerennialError('storage/digest-mismatch',
      `${ref.uri} should be ${ref.bytes} bytes with sha256 ${ref.sha256} and is ${found.bytes} bytes with ${found.sha256}`, { uri: ref.uri }));
  }

  const objects = createLocatedObjects(client, asking);
  return {
    ...objects,

    /** Stores content once, under `blobs/<sha256>`. Bytes, or the path of a file. */
    async putBlob(from: Source): Promise<Ref> {
      const source = await held(from, MULTIPART_FROM);
      const measured = await measure(source);
      const key = `blobs/${measured.sha256}`;
      // A large one is looked for first: S3 refuses a second copy only after all of it was sent.
      if (measured.bytes < MULTIPART_FROM || !(await exists(key))) await upload(key, source, measured, BYTES, true);
      return refOf(key, measured);
    },

    /** Stores under a key of the caller's; what was there is replaced. Bytes, or the path of a file. */
    async putAt(key: string, from: Source, { contentType = BYTES }: { contentType?: string } = {}): Promise<Ref> {
      const source = await held(from, MULTIPART_FROM);
      const measured = await measure(source);
      await upload(key, source, measured, contentType, false);
      return refOf(key, measured);
    },

    /** Stores under a key that nothing was stored under; what is there already stays. The reference is of what is there. */
    async putOnce(key: string, bytes: Uint8Array, { contentType = BYTES }: { contentType?: string } = {}): Promise<Ref> {
      const measured = await measure(bytes);
      await upload(key, bytes, measured, contentType, true);
      return refOf(key, await measure(await objects.readObject(`s3://${bucket}/${key}`)));
    },

    /** The bytes, checked against the reference. */
    async get(ref: Ref): Promise<Uint8Array> {
      return asking(`Reading ${ref.uri}`, async () => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of read(ref)) chunks.push(chunk);
        return Buffer.concat(chunks);
      });
    },

    /** Streams to a file, which appears as a whole once its bytes are checked. Its folder is made. */
    async getToFile(ref: Ref, path: string): Promise<void> {
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${randomUUID()}.tmp`;
      await asking(`Reading ${ref.uri}`, async () => {
        try {
          const file = await open(temporary, 'wx');
          try {
            for await (const chunk of read(ref)) await file.writeFile(chunk);
          } finally {
            await file.close();
          }
          await rename(temporary, path);
        } catch (error) {
          throw diskFull(error, path) ?? error;
        } finally {
          await rm(temporary, { force: true });
        }
      });
    },

    exists,

    /** The bytes of a key as they are; nothing to check them against. For what was written under a key of the caller's. */
    async getAt(key: string): Promise<Uint8Array> {
      return objects.readObject(`s3://${bucket}/${key}`);
    },

    /** Keys that begin with `prefix`, in order. See `listObjects` for sizes. */
    async list(prefix: string): Promise<string[]> {
      return asking(`Listing s3://${bucket}/${prefix}`, async () => {
        const keys: string[] = [];
        let token: string | undefined;
        do {
          const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }));
          for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return keys;
      });
    },

    /** Deletes objects; one that is not there is fine. */
    async delete(keys: readonly string[]): Promise<void> {
      for (let start = 0; start < keys.length; start += DELETE_AT_ONCE) {
        const some = keys.slice(start, start + DELETE_AT_ONCE);
        const answer = await asking(`Deleting ${some.length} objects of ${bucket}`, () =>
          client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: some.map((Key) => ({ Key })) } })));
        const first = answer.Errors?.[0];
        if (first) throw new PerennialError('storage/unavailable', `Deleting s3://${bucket}/${first.Key ?? ''}: ${first.Message ?? first.Code ?? 'refused'}`, { failed: answer.Errors?.length });
      }
    },

    /** An address at which anyone who has it can GET the object for `seconds`, at most 7 days. */
    async presign(ref: Pick<Ref, 'uri'>, seconds: number): Promise<string> {
      const credentials = await client.config.credentials();
      const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
      const path = keyOf(ref).split('/').map(encodeURIComponent).join('/');
      const url = pathStyle ? new URL(`/${bucket}/${path}`, base) : new URL(`${base.protocol}//${bucket}.${base.host}/${path}`);
      return presignGet({ url, region, seconds, now: new Date(), accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey, sessionToken: credentials.sessionToken });
    },

    /** The reference of a key that holds these bytes, for objects whose digest is known from elsewhere. */
    refOf,
    close(): void { client.destroy(); },
  };
}
export type Artifacts = ReturnType<typeof createArtifacts>;
