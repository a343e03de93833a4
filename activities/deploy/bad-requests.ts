import type { HttpClient } from './http-client.js';

export interface Check { readonly check: string; readonly passed: boolean; readonly detail: string }

/** Requests that must be refused, and with which status; an answer that reveals a stack or a path fails as well. */
export async function checkBadRequests(client: HttpClient, model: string, good: Buffer): Promise<Check[]> {
  const path = `/v2/models/${model}/infer`;
  const cases = [
    { check: 'unknown model', status: 404, ask: () => client.post('/v2/models/no-such-model/infer', good) },
    { check: 'unknown version', status: 404, ask: () => client.post(`/v2/models/${model}/versions/999999999/infer`, good) },
    { check: 'broken JSON', status: 400, ask: () => client.post(path, Buffer.from('{"inputs": [')) },
    // Neither a picture nor one row of columns: [1, 1] would be a right shape for a column.
    { check: 'wrong shape', status: 422, ask: () => client.post(path, withInputs(good, (input) => ({ ...input, shape: [1, 2], data: [0, 0] }))) },
    { check: 'unknown input', status: 422, ask: () => client.post(path, withInputs(good, (input) => ({ ...input, name: 'no-such-input' }))) },
    { check: 'value of another type', status: 422, ask: () => client.post(path, withInputs(good, (input) => ({ ...input, data: input.data.map(() => (input.datatype === 'BYTES' ? 1 : 'x')) }))) },
    { check: 'wrong token', status: 401, ask: () => client.post(path, good, 'pnl_wrong') },
  ];
  const checks: Check[] = [];
  for (const { check, status, ask } of cases) {
    const answer = await ask();
    const plain = /^\{"error":"[^"]/.test(answer.body) && !/\bat .+:\d+:\d+|node_modules/.test(answer.body);
    checks.push({ check: `refuses: ${check}`, passed: answer.status === status && plain, detail: `expected ${status}, found ${answer.status}${plain ? '' : ', and the answer is not a plain error'}` });
  }
  return checks;
}

interface Input { name: string; shape: number[]; datatype: string; data: unknown[] }
function withInputs(good: Buffer, change: (input: Input) => Input): Buffer {
  const body = JSON.parse(good.toString('utf8')) as { inputs: Input[] };
  return Buffer.from(JSON.stringify({ ...body, inputs: body.inputs.map(change) }));
}
