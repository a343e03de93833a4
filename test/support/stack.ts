/**
 * Runs once for all test files: hands out one real stack, whose parts start when the first test asks for them (`useStack`), so
 * that a run of pure tests starts nothing. With PERENNIAL_TEST_HOME the stack of a running `perennial up` is used instead.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { stackParts } from '../../infra/stack/stack.js';
import { createTestHome, type TestHome } from '../../infra/stack/testing.js';

declare module 'vitest' {
  interface ProvidedContext {
    perennialStack: { url: string; token: string; run: string };
  }
}

const Request = z.object({ parts: z.array(z.enum(stackParts)) });

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const token = randomBytes(16).toString('hex');
  let testHome: TestHome | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const start = async (request: IncomingMessage): Promise<Record<string, string>> => {
    let body = '';
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString('utf8');
    const { parts } = Request.parse(JSON.parse(body));
    const reused = process.env['PERENNIAL_TEST_HOME'];
    if (reused !== undefined) return { PERENNIAL_HOME: reused };
    testHome ??= await createTestHome();
    return { ...(await testHome.start(parts)).env };
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    const turn = queue.then(() => start(request));
    queue = turn.catch(() => undefined); // told to the one who asked
    turn.then(
      (env) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(env)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  };
  const broker = createServer(answer);
  await new Promise<void>((settle) => broker.listen(0, '127.0.0.1', settle));
  project.provide('perennialStack', { url: `http://127.0.0.1:${(broker.address() as AddressInfo).port}`, token, run: randomUUID() });
  return async () => {
    await queue;
    broker.closeAllConnections();
    await new Promise((settle) => broker.close(settle));
    await testHome?.close();
  };
}
