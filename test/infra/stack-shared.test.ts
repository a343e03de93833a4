import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { useStack, type TestDatabase } from '../support/use-stack.js';

let database: TestDatabase | undefined;
afterAll(() => database?.drop());

test('a test file gets a database of its own', async () => {
  const stack = await useStack(['postgres']);
  database = await stack.createDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ name: string; version: string }>("select current_database() as name, current_setting('server_version_num') as version");
  await client.end();
  expect(database.url).toContain(rows[0]?.name);
  expect(Number(rows[0]?.version)).toBeGreaterThanOrEqual(180_000);
});

test('a test file gets a bucket of its own', async () => {
  const stack = await useStack(['s3']);
  const bucket = await stack.createBucket();
  const client = stack.createS3Client();
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: 'kept', IfNoneMatch: '*' }));
  await expect(client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: 'other', IfNoneMatch: '*' }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  expect(await (await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'a/b' }))).Body?.transformToString()).toBe('kept');
  client.destroy();
});

test('Temporal keeps histories for 30 days', async () => {
  const { config } = await useStack(['temporal']);
  const connection = await Connection.connect(config.temporal);
  const described = await connection.workflowService.describeNamespace({ namespace: config.temporal.namespace });
  await connection.close();
  expect(Number(described.config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
});
