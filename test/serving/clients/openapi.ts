import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, expect, test } from 'vitest';
import { METHODS } from '../../../serving/protocol/tensorflow-serving.js';
import { ModelMetadata } from '../../../serving/protocol/metadata.js';
import { InferenceAnswer } from '../../../serving/protocol/response.js';
import { TensorFlowMetadata, TensorFlowStatus } from '../../../serving/protocol/tensorflow-metadata.js';
import { ask, infer, type Fixture } from '../support.js';
import { passenger, type Served, type ServedModels } from '../tables.js';

type Document = Record<string, unknown> & { paths: Record<string, Record<string, { operationId: string; security: object[]; requestBody?: { content: Record<string, { schema: { properties?: object; required?: string[] } }> } }>> };

let fixture: Fixture;
let models: ServedModels;
let document: Document;

export function openApiTests(served: () => Served): void {
  beforeAll(async () => {
    ({ fixture, models } = served());
    document = await (await fetch(`${models.url}/openapi.json`)).json() as Document;
  });

  test('the description is valid OpenAPI 3.1 by a validator that we did not write, and names each operation once', async () => {
    const validator = new Validator();
    const result = await validator.validate(document);
    expect([result.valid, result.errors, validator.version]).toEqual([true, undefined, '3.1']);
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.paths['/v2/models/{model}/infer']?.['post']?.requestBody?.content['application/json']?.schema).toMatchObject({ required: ['inputs'], properties: { id: { maxLength: 128 }, inputs: { maxItems: 4096 } } });
  });

  test('every address of the description is there, and asks for a token unless it says otherwise', async () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { security, requestBody }] of Object.entries(operations)) {
        const address = `${models.url}${path.replace('{model}', models.prices).replace('{version}', '1').replace('{label}', 'live')}`;
        const [type = ''] = Object.keys(requestBody?.content ?? {});
        const call = (headers: Record<string, string>) => fetch(address, { method: method.toUpperCase(), headers, ...(requestBody ? { body: '{}' } : {}) });
        const response = await call({ authorization: `Bearer ${fixture.token}`, ...(requestBody ? { 'content-type': type } : {}) });
        expect([path, response.status]).toEqual([path, requestBody && type === 'application/json' ? 400 : 200]);
        await response.arrayBuffer();
        if (security.length > 0) expect([path, (await call(requestBody ? { 'content-type': type } : {})).status]).toEqual([path, 401]);
      }
    }
  });

  test('answers are what the description says', async () => {
    const get = async (path: string) => (await ask(models.url, fixture.token, path)).body;
    const post = async (path: string, body: unknown) => (await ask(models.url, fixture.token, path, body)).body;
    for (const model of [models.pictures, models.table, models.prices]) {
      expect(await get(`/v2/models/${model}`)).toEqual(ModelMetadata.parse(await get(`/v2/models/${model}`)));
      expect(await get(`/v1/models/${model}`)).toEqual(TensorFlowStatus.parse(await get(`/v1/models/${model}`)));
      expect(await get(`/v1/models/${model}/metadata`)).toEqual(TensorFlowMetadata.parse(await get(`/v1/models/${model}/metadata`)));
    }
    const answers = [
      [InferenceAnswer, await infer(models.url, fixture.token, models.prices, { inputs: [{ name: 'size', shape: [1], datatype: 'FP64', data: [60] }] })],
      [METHODS.predict.response, await post(`/v1/models/${models.table}:predict`, { instances: [passenger] })],
      [METHODS.predict.response, await post(`/v1/models/${models.prices}:predict`, { inputs: [60] })],
      [METHODS.classify.response, await post(`/v1/models/${models.table}:classify`, { examples: [passenger] })],
      [METHODS.regress.response, await post(`/v1/models/${models.prices}:regress`, { examples: [{ size: 60 }] })],
    ] as const;
    for (const [schema, answer] of answers) expect(schema.parse(answer)).toEqual(answer);
  });
}
