import { describe, expect, it } from 'vitest';
import { checkBadRequests } from '../../activities/deploy/bad-requests.js';
import { inferenceBody } from '../../activities/deploy/inference.js';
import type { HttpClient } from '../../activities/deploy/http-client.js';
import type { Signature } from '../../contract/package.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { ServingError } from '../../serving/errors.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';

const common = { model: 'some-model', target: { name: 'label', classes: ['yes', 'no'] }, shards: [] };
const picture: SnapshotManifest['content'] = { ...common, kind: 'images', image: { name: 'image', height: 2, width: 2, channels: 3 } };
const table: SnapshotManifest['content'] = { ...common, kind: 'table', columns: ['age', 'visits'] };
const outputs: Signature['outputs'] = [{ name: 'probabilities', datatype: 'FP32', shape: [2] }];
const signatures: Record<'images' | 'table', Signature> = {
  images: { inputs: [{ name: 'image', datatype: 'UINT8', shape: [2, 2, 3] }], outputs, classes: ['car', 'truck'] },
  table: { inputs: ['age', 'visits'].map((name) => ({ name, datatype: 'FP32', shape: [1] })), outputs, classes: ['leaves', 'stays'] },
};

/** Answers a body as the server's own protocol code does; paths and tokens are the server's test. */
function protocolClient(signature: Signature): HttpClient {
  const post = async (path: string, body: Buffer, token = 'right') => {
    const refused = (status: number, error: string) => ({ status, body: JSON.stringify({ error }), latencyMs: 1 });
    if (token !== 'right') return refused(401, 'The token is not valid.');
    if (path.includes('no-such-model') || path.includes('/versions/')) return refused(404, 'Not served here.');
    try {
      rowsOf(parseInferenceRequest(JSON.parse(body.toString('utf8'))), signature, 100);
      return { status: 200, body: '{}', latencyMs: 1 };
    } catch (error) {
      return error instanceof ServingError ? refused(error.status, error.message) : refused(400, 'The body is not JSON.');
    }
  };
  return { post, get: () => post('', Buffer.from('')), close: () => undefined };
}

describe.each([['images', picture, Array.from({ length: 12 }, () => 7)], ['table', table, [42, 3]]] as const)('bad requests to a model of %s', (kind, content, raw) => {
  it('are bad: a server that checks its signature refuses each with the status that is expected', async () => {
    const good = inferenceBody({ key: 'one', actual: '', attributes: {}, raw }, content);
    expect(rowsOf(parseInferenceRequest(JSON.parse(good.toString('utf8'))), signatures[kind], 100).count).toBe(1);
    const checks = await checkBadRequests(protocolClient(signatures[kind]), 'some-model', good);
    expect(checks.filter((check) => !check.passed)).toEqual([]);
  });
});
