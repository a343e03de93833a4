import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzz } from './fuzz/run.js';
import { createFixture, type Fixture } from './support.js';

/** `PERENNIAL_FUZZ_REQUESTS` and `PERENNIAL_FUZZ_SEED` choose another length, and another course. */
const requests = Number(process.env['PERENNIAL_FUZZ_REQUESTS'] ?? 20_000);
const seed = Number(process.env['PERENNIAL_FUZZ_SEED'] ?? 20_261_122);

let fixture: Fixture;
beforeAll(async () => { fixture = await createFixture(); });
afterAll(() => fixture?.close());

test('twenty thousand requests that no client would send harm nobody', async () => {
  expect(requests).toBeGreaterThan(0);
  await fuzz(fixture, { requests, seed });
}, 1_800_000);
