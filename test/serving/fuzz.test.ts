import { afterAll, beforeAll, test } from 'vitest';
import { fuzz } from './fuzz/run.js';
import { createFixture, type Fixture } from './support.js';

let fixture: Fixture;
beforeAll(async () => { fixture = await createFixture(); });
afterAll(() => fixture?.close());

/** The beginning of what `fuzz.full.ts` sends. */
test('hundreds of requests that no client would send harm nobody', () => fuzz(fixture, { requests: 250, seed: 20_261_122 }), 120_000);
