import { afterAll, beforeAll, describe } from 'vitest';
import { binaryTests } from './clients/binary.js';
import { openApiTests } from './clients/openapi.js';
import { pictureTests } from './clients/pictures.js';
import { streamTests } from './clients/stream.js';
import { tensorFlowServingTests } from './clients/tensorflow-serving.js';
import { createFixture, type Fixture } from './support.js';
import { serveModels, type ServedModels } from './tables.js';

/** What clients see, whatever they speak. One server for all of them: its models take longer to train than all else here. */
let fixture: Fixture;
let models: ServedModels;
const served = () => ({ fixture, models });

beforeAll(async () => {
  fixture = await createFixture();
  models = await serveModels(fixture);
});
afterAll(() => fixture?.close());

describe('tensors as bytes', () => { binaryTests(served); });
describe('TensorFlow Serving', () => { tensorFlowServingTests(served); });
describe('encoded pictures', () => { pictureTests(served); });
describe('streams of lines', () => { streamTests(served); });
describe('the description of all of it', () => { openApiTests(served); });
