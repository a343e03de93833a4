import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { inject } from 'vitest';
import { loadConfig, type Config } from '../../infra/config.js';
import { stackParts, type StackPart } from '../../infra/stack/stack.js';
import { uniqueName } from '../../infra/stack/testing.js';

export { uniqueName };

export interface SharedStack {
  /** addresses of the parts that were asked for; others throw when read */
  readonly config: Config;
  /** environment for a child process that calls `loadConfig()` */
  readonly env: Readonly<Record<string, string>>;
  /** this run of the tests, which may have found the stack running */
  readonly run: string;
  /** an empty database of this test file's own */
  createDatabase(): Promise<TestDatabase>;
  /** an empty bucket of this test file's own */
  createBucket(): Promise<string>;
  /** a client for the stack's object store; the caller destroys it */
  createS3Client(): S3Client;
}

export interface TestDatabase {
  readonly url: string;
  /** ends its sessions and drops it */
  drop(): Promise<void>;
}

/**
 * The one real stack of this test run. The first caller of a part waits about 2 s for it, the next ones do not. Never stop or kill
 * its parts: `startTestStack` gives a stack of your own for that.
 */
export async function useStack(parts: readonly StackPart[] = stackParts): Promise<SharedStack> {
  const { url, token, run } = inject('perennialStack');
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify({ parts }) });
  if (!response.ok) throw new Error(`The test stack did not start: ${await response.text()}`);
  const env = (await response.json()) as Record<string, string>;
  const config = loadConfig({ env, need: parts });
  const createS3Client = (): S3Client => new S3Client({ ...config.s3, credentials: config.s3 });
  return {
    config,
    env,
    run,
    createS3Client,
    createDatabase: async () => {
      const name = uniqueName('test');
      await administer(config.databaseUrl, `create database ${name}`);
      const address = new URL(config.databaseUrl);
      address.pathname = `/${name}`;
      return { url: address.href, drop: () => administer(config.databaseUrl, `drop database if exists ${name} with (force)`) };
    },
    createBucket: async () => {
      const bucket = uniqueName('test').replace('_', '-');
      const client = createS3Client();
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
      return bucket;
    },
  };
}

async function administer(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
