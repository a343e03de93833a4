import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { passenger } from '../tables.js';
import { binaryBody, pictureFile, type Content } from './content.js';
import { mutated } from './mutate.js';
import { bitten } from './mutate.js';
import { FuzzRequest, type Delivery, type Framing } from './request.js';

/** What requests are made of: the models of the server under test, what they take, and tokens by what they may do. */
export interface Material {
  readonly pictures: string; readonly table: string; readonly prices: string;
  readonly token: string; /** Good in form only, or good for something else. */ readonly wrongTokens: readonly string[];
  readonly pixels: readonly number[]; readonly files: { readonly png: Buffer; readonly jpeg: Buffer; readonly webp: Buffer };
  /** A prediction that can be labelled. */
  readonly prediction: string;
}

const column = (name: string, datatype: string, data: readonly unknown[]) => ({ name, datatype, shape: [data.length], data });
const tableColumns = (rows: number) => [
  column('age', 'FP64', Array(rows).fill(42)), column('city', 'BYTES', Array(rows).fill('Wien')), column('alone', 'BOOL', Array(rows).fill(true)), column('booked', 'BYTES', Array(rows).fill(passenger.booked)),
];

/** Requests as clients send them, before anything is changed: where to, and what with. */
interface Seed { readonly path: string; readonly content: fc.Arbitrary<Content> }

const json = (value: unknown): fc.Arbitrary<Content> => bitten(mutated(value).map((text) => Buffer.from(text, 'utf8'))).map((body) => ({ type: 'application/json', body }));

function seeds({ pictures, table, prices, pixels, files, prediction }: Material): readonly { weight: number; arbitrary: fc.Arbitrary<Seed> }[] {
  const seed = (weight: number, path: string, ...contents: fc.Arbitrary<Content>[]) => ({ weight, arbitrary: fc.constant({ path, content: fc.oneof(...contents) }) });
  const nested = Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (__, x) => pixels.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)));
  const image = { name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8' };
  const doubles = Buffer.from(Float64Array.of(60, 70).buffer);
  const extras = { id: 'fuzzed', parameters: { light: 'night', binary_data_output: true }, outputs: [{ name: 'probabilities' }, { name: 'class', parameters: { binary_data: true } }] };
  const lines = fc.array(fc.oneof(mutated({ id: 'line', row: passenger }), mutated({ row: { ...passenger, age: null } }), mutated({ inputs: tableColumns(1) }), fc.constantFrom('', ' ', '{', 'null', '\r')), { maxLength: 8 });
  return [
    seed(2, `/v2/models/${pictures}/infer`, json({ inputs: [{ ...image, data: pixels }] }), json({ ...extras, inputs: [{ ...image, data: [nested] }] })),
    seed(3, `/v2/models/${pictures}/infer`, binaryBody({ inputs: [image] }, [Buffer.from(pixels)]), binaryBody({ ...extras, inputs: [{ name: 'image', shape: [1], datatype: 'BYTES' }] }, [framed(files.png)])),
    seed(3, `/v2/models/${pictures}/infer?id=gate&light=night`, pictureFile(files)),
    seed(6, `/v2/models/${table}/infer`, json({ inputs: tableColumns(1) }), json({ ...extras, inputs: tableColumns(3) })),
    seed(4, `/v2/models/${table}/infer`, binaryBody({ inputs: tableColumns(2).map(({ data: _data, ...rest }) => rest) }, [Buffer.from(Float64Array.of(1, 2).buffer), Buffer.concat([framed('Wien'), framed('Graz')]), Buffer.from([0, 1]), Buffer.concat([framed(passenger.booked), framed(passenger.booked)])])),
    seed(3, `/v2/models/${prices}/infer`, json({ inputs: [column('size', 'FP64', [60, 70])] }), binaryBody({ inputs: [{ name: 'size', shape: [2], datatype: 'FP64' }] }, [doubles]), binaryBody({ inputs: [{ name: 'size', shape: [4, 1], datatype: 'FP16' }], parameters: { binary_data_output: true } }, [doubles.subarray(0, 8)])),
    seed(3, `/v1/models/${table}:predict`, json({ instances: [passenger, { ...passenger, age: null }] }), json({ signature_name: 'serving_default', inputs: { age: [1], city: ['Wien'], alone: [[true]], booked: [passenger.booked] } })),
    seed(2, `/v1/models/${table}/labels/live:classify`, json({ context: { alone: true }, examples: [{ age: 4, city: 'Wien', booked: passenger.booked }] })),
    seed(2, `/v1/models/${prices}:regress`, json({ examples: [{ size: 60 }, { size: [70] }] })),
    seed(1, `/v1/models/${prices}:predict`, json({ instances: [60, [70]] }), json({ inputs: [60, 70] })),
    seed(1, `/v1/models/${pictures}/versions/1:predict`, json({ instances: [nested] }), json({ instances: [{ b64: files.png.toString('base64') }, { image: { b64: files.jpeg.toString('base64') } }] })),
    seed(3, `/v2/models/${table}/stream`, bitten(lines.map((all) => Buffer.from(all.join('\n')))).map((body) => ({ type: 'application/x-ndjson', body }))),
    seed(1, '/v1/labels', json({ labels: [{ prediction, label: 'yes' }, { request: 'nobody', label: 3, model: prices }] })),
    seed(1, '/v2', json({})), seed(1, '/openapi.json', json({})), seed(1, `/v2/models/${pictures}/ready`, json({})), seed(1, `/v1/models/${table}/metadata`, json({})),
  ];
}

/** An element of BYTES: its length, and itself. */
function framed(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const usual = <T>(weight: number, value: T, ...odd: fc.Arbitrary<T>[]): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(value) }, ...odd.map((arbitrary) => ({ weight: 1, arbitrary })));
const among = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Addresses that are nearly right, and some that are not. */
const oddPath = (path: string, { table }: Material): fc.Arbitrary<string> => fc.oneof(
  among('/infer', '/stream', '/ready', ':predict', ':classify', ':regress', ':constructor', ':toString', ':__proto__', ':hasOwnProperty', '/metadata', '/labels/live:predict', '/labels/constructor:predict', '/versions/1/infer', '/versions/0/infer', '/versions/99999999999/infer', '/versions/1e1/infer', '/versions/constructor/stream')
    .chain((verb) => among('/v1', '/v2').chain((base) => among(table, 'nobody', 'constructor', '__proto__', '%00', '%ff', '%2e%2e', '..', 'x'.repeat(90), 'x'.repeat(300), encodeURIComponent('💥')).map((model) => `${base}/models/${model}${verb}`))),
  among('?', '?first=0', '?first=3', '?first=9007199254740993', '?id=a&id=b', `?id=${'i'.repeat(200)}`, '?timeout=1', '?__proto__=1&constructor=2', '?=&&=', '?a[b]=c', '?%ff', `?q=${'q'.repeat(9_000)}`, '#f', '/', '//', ';x=1', '%20').map((suffix) => path + suffix),
  among('/', '*', '//', '/v2/', '/v1/models', '/v2/models//infer', '/.git/config', '/../../etc/passwd', 'http://evil.example/v2', '/%c0%ae', '/v2/health/ready', '/v2/health/live', '/metrics'),
);

/** Framing and delivery go together: what is cut cannot also be counted wrongly. */
const transport: fc.Arbitrary<{ framing: Framing; delivery: Delivery }> = fc.oneof(
  { weight: 40, arbitrary: fc.constant({ framing: 'length' as const, delivery: 'whole' as const }) },
  { weight: 4, arbitrary: among('chunked' as const).chain((framing) => among('whole' as const, 'pieces' as const).map((delivery) => ({ framing, delivery }))) },
  { weight: 2, arbitrary: fc.constant({ framing: 'length' as const, delivery: 'pieces' as const }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 0.999, noNaN: true }).map((cutAt) => ({ framing: 'length' as const, delivery: { cutAt } })) },
  { weight: 1, arbitrary: fc.constant({ framing: 'length' as const, delivery: 'leaves' as const }) },
  { weight: 2, arbitrary: fc.oneof(among('bad-chunk' as const, 'none' as const), among(0, 1, 5_000, 33_554_433, 99_999_999_999).map((says) => ({ says }))).map((framing) => ({ framing, delivery: 'whole' as const })) },
);

const oddHeader: fc.Arbitrary<readonly [string, string]> = among<readonly [string, string]>(
  ['x-request-id', 'r'.repeat(500)], ['x-request-id', '\u00ff\u0080'], ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'], ['traceparent', 'nonsense'], ['x-long', 'x'.repeat(9_000)], ['x-longer', 'x'.repeat(20_000)],
  ['expect', '100-continue'], ['expect', 'the-impossible'], ['content-encoding', 'gzip'], ['accept', 'text/html'], ['accept-encoding', 'br;q=x'], ['accept-version', '2.x'], ['upgrade', 'websocket'], ['te', 'trailers'], ['cookie', '__proto__=1'],
  ['inference-header-content-length', '7'], ['content-type', 'image/png'], ['host', 'evil.example'], ['x-forwarded-host', 'evil.example'], ['x-http-method-override', 'DELETE'], ['range', 'bytes=0-1'], ['if-none-match', '*'], ['bad name', 'x'], ['x-nul', 'a\u0000b'], ['transfer-encoding', 'gzip'],
);

/** Any request: one that a client would send, with a few things about it that no client would. */
export function fuzzRequests(material: Material): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(...seeds(material)).chain(({ path, content }) => fc.record({
    method: usual(20, path === '/v2' || path === '/openapi.json' || path.endsWith('/ready') || path.endsWith('/metadata') ? 'GET' : 'POST', among('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'BREW')),
    target: usual(12, path, oddPath(path, material)),
    content: fc.oneof({ weight: 30, arbitrary: content }, { weight: 1, arbitrary: content.map((one) => ({ ...one, encoding: 'gzip', body: gzipSync(one.body) })) }),
    type: usual<string | null | undefined>(20, undefined, among(null, 'text/plain', 'application/json; charset=utf-16', 'application/JSON', 'application/json, application/json', 'image/tiff', 'image/png', 'multipart/form-data; boundary=x', ';', '/', 'application/octet-stream', 'application/x-ndjson', 'application/x-www-form-urlencoded')),
    token: usual<string | null>(30, material.token, among(null, ...material.wrongTokens)),
    host: usual<string | null>(60, 'localhost', among('127.0.0.1:1', 'evil.example', 'localhost:x', '', '[::1]', null)),
    odd: fc.oneof({ weight: 12, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(oddHeader, { minLength: 1, maxLength: 2 }) }),
    transport,
  })).map(({ method, target, content, type, token, host, odd, transport: { framing, delivery } }) => {
    const given = type === undefined ? content.type : type;
    const headers: (readonly [string, string])[] = [
      ...(host === null ? [] : [['host', host] as const]), ...(token === null ? [] : [['authorization', token.includes(' ') ? token : `Bearer ${token}`] as const]),
      ...(given === null ? [] : [['content-type', given] as const]), ...(content.headerLength === undefined ? [] : [['inference-header-content-length', content.headerLength] as const]),
      ...(content.encoding === undefined ? [] : [['content-encoding', content.encoding] as const]), ...odd,
    ];
    const hurried = content.body.includes('"timeout"') || target.includes('timeout=');
    return new FuzzRequest({ method, target, headers, body: content.body, framing, delivery, hurried });
  });
}
