import { afterAll, beforeAll } from 'vitest';
import { pythonWith } from './python.js';
import { createFixture, type Fixture } from './support.js';
import { serveModels, type ServedModels } from './tables.js';

export interface ForeignClient { readonly fixture: Fixture; readonly models: ServedModels; readonly ask: Awaited<ReturnType<typeof pythonWith>> }

/** A server with models of each kind, and a Python with a client that we did not write; installed by pip. They are there once a test runs. */
export function useForeignClient(requirement: string): () => ForeignClient {
  let fixture: Fixture | undefined;
  let client: ForeignClient | undefined;
  beforeAll(async () => {
    fixture = await createFixture();
    client = { fixture, models: await serveModels(fixture), ask: await pythonWith(fixture.folder, [requirement]) };
  }, 600_000);
  afterAll(() => fixture?.close());
  return () => {
    if (!client) throw new TypeError('the client is there in tests only');
    return client;
  };
}
