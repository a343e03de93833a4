import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Decision } from '../../contract/decision.js';
import { saveProfile } from '../../activities/data/profile/save-profile.js';
import { verifyDecision } from '../../domain/decision.js';
import { DataSketch } from '../../domain/profile/data-sketch.js';
import { addVersion } from '../gateway/scenario.js';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, addRun, commit, digest } from '../stores/samples.js';
import { until } from '../support/until.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const model = 'car-truck';

beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['admin', 'operator', 'scientist', 'auditor', 'viewer']));
  await addModel(gateway.stores, model);
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

const json = async (...args: string[]) => {
  const { code, out } = await cli.run([...args, '--json']);
  return { code, body: JSON.parse(out) as Record<string, unknown> };
};
const event = (run: string, eventId: string, kind: 'step' | 'progress' | 'end', message: string, data: Record<string, unknown> = {}) =>
  gateway.stores.runs.appendEvent({ run, eventId, at: new Date().toISOString(), kind, step: 'train', message, data });

test('an approver is added, gets a key on this machine, and approves what they name by its digest', async () => {
  expect((await cli.run(['principal', 'add', 'ada', '--email', 'ada@example.com'])).code).toBe(0);
  expect((await cli.run(['principal', 'grant', 'ada', 'approver'])).code).toBe(0);
  const key = await json('principal', 'key', 'ada');
  expect((await json('principal', 'key', 'ada')).body).toEqual({ ...key.body, created: false });
  const publicKey = (await gateway.stores.principals.get('ada'))?.publicKey ?? '';
  expect(key.body['publicKey']).toBe(publicKey);

  const { run, evidence } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const workflow = `lifecycle/${model}/${run}`;
  await gateway.client.workflow.start('lifecycle', { workflowId: workflow, taskQueue: 'nobody', args: [{}] });
  expect((await cli.run(['approve', run])).code).toBe(2); // nobody can be asked here
  const other = await cli.run(['approve', run, '--evidence', 'ffffffff']);
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('is not the evidence that is open')]);

  const printed = await json('approve', run, '--evidence', evidence.slice(0, 8), '--comment', 'it\'s right', '--print-signal');
  const decision = printed.body['decision'] as Decision;
  expect(verifyDecision(decision, publicKey)).toBe(true);
  expect(verifyDecision({ ...decision, verdict: 'reject' }, publicKey)).toBe(false);
  expect(printed.body['command']).toContain(`--workflow-id ${workflow} --name decide`);
  const echoed = execFileSync('sh', ['-c', String(printed.body['command']).replace('temporal workflow signal', 'printf "%s\\n"')], { encoding: 'utf8' });
  expect(JSON.parse(echoed.trim().split('\n').at(-1) ?? '')).toEqual(decision); // as a shell would hand it over
  expect(await gateway.signalsOf(workflow)).toEqual([]);

  const asked: string[] = [];
  const sent = await cli.run(['approve', run], { ask: async (question) => { asked.push(question); return asked.length === 1 ? evidence.slice(0, 8) : 'looks right'; } });
  expect([sent.code, asked.length]).toEqual([0, 2]);
  for (const shown of ['accuracy', 'test environment: passed', '2026-11-28', evidence]) expect(sent.out).toContain(shown);
  const [signal] = await gateway.signalsOf(workflow);
  expect(signal).toMatchObject({ name: 'decide', payload: { verdict: 'approve', approver: 'ada', evidence, comment: 'looks right' } });
});

test('show tells of a run, a model and a version; what is unknown ends with 1', async () => {
  const { run, version } = await addVersion(gateway.stores, model, { live: true, generation: 0 });
  expect((await cli.run(['show', run])).out).toContain('was released');
  expect((await cli.run(['show', model])).out).toContain(`${model}@${version}`);
  expect((await cli.run(['show', `${model}@${version}`])).out).toContain('live');
  expect((await json('runs', '--model', model)).body['runs']).toBeInstanceOf(Array);
  const unknown = await json('show', 'car-truck-r999');
  expect([unknown.code, unknown.body['error']]).toEqual([1, expect.objectContaining({ code: 'run/unknown' })]);
});

test('follow tells progress in plain lines, ends with the run, and with 1 when it failed', async () => {
  const run = await addRun(gateway.stores, model);
  await gateway.stores.runs.setStep(run, 'train', 'running');
  await event(run, 'step-1', 'step', 'training');
  const following = cli.run(['show', run, '--follow']);
  await event(run, 'train-1', 'progress', '', { epoch: 1, epochs: 4, batch: 20, batches: 20, loss: 0.5, accuracy: 0.8, rowsPerSecond: 1830 });
  await gateway.stores.runs.end(run, 'failed', { code: 'training/memory', message: 'it took 5 GB', next: 'Make the batch smaller.' });
  await event(run, 'end', 'end', 'it took 5 GB', {});
  const { code, out } = await following;
  expect(code).toBe(1);
  expect(out).toContain('train: 25%  epoch 1/4  batch 20/20  loss 0.500  accuracy 0.800  1,830 rows/s');
  expect(out).toContain('training/memory: it took 5 GB');
  expect(out).toContain('next: Make the batch smaller.');
});

test('on a terminal the progress is one line that moves, with a bar and the time left', async () => {
  const run = await addRun(gateway.stores, model);
  await event(run, 'train-1', 'progress', '', { epoch: 1, epochs: 2, batch: 1, batches: 10, loss: 0.5, accuracy: 0.8, rowsPerSecond: 10 });
  await new Promise((settle) => setTimeout(settle, 20));
  await event(run, 'train-2', 'progress', '', { epoch: 1, epochs: 2, batch: 10, batches: 10, loss: 0.5, accuracy: 0.8, rowsPerSecond: 10 });
  await gateway.stores.runs.setStep(run, 'approval', 'waiting');
  const { code, out } = await cli.run(['show', run, '--follow', '--until', 'waiting'], { isTerminal: true });
  expect(code).toBe(0);
  expect(out).toContain('\r\u001b[2K');
  expect(out).toMatch(/█.*░.*50%.*0:00 left/s);
});

test('a rollback past the workflow is read back before it is called done', async () => {
  const name = 'rolled-back';
  await addModel(gateway.stores, name);
  await addVersion(gateway.stores, name, { live: true, generation: 0 });
  await addVersion(gateway.stores, name, { live: true, generation: 1 });
  await gateway.stores.replicas.lease({ id: 'server-1', environment: 'production', url: 'http://127.0.0.1:1', pid: 1, ttlMs: 60_000 });
  await gateway.stores.replicas.report({ replica: 'server-1', model: name, version: 2, generation: 2 });
  const rolling = cli.run(['rollback', name, '--reason', 'worse at night', '--break-glass']);
  await until(async () => { expect((await gateway.stores.routes.current('production', name))?.generation).toBe(3); });
  await new Promise((settle) => setTimeout(settle, 500));
  await gateway.stores.replicas.report({ replica: 'server-1', model: name, version: 1, generation: 3 });
  const { code, out, err } = await rolling;
  expect([code, out]).toEqual([0, expect.stringContaining(`production serves ${name}@1 (served by server-1)`)]);
  expect(err).toContain('written past the workflow');
  await gateway.stores.replicas.release('server-1');
});

test('a local repository is registered with its hook, and the hook tells the run of a commit', async () => {
  const folder = join(cli.folder, 'cars');
  await mkdir(folder);
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('commit', '--quiet', '--allow-empty', '-m', 'first');
  const head = git('rev-parse', 'HEAD');
  const added = await json('repository', 'add', 'local-cars', 'cars', '--poll', '0');
  expect([added.code, (added.body['commitHook'] as { installed: boolean }).installed]).toEqual([0, true]);

  const hook = cli.run(['hook', 'commit', '--repository', 'local-cars'], { cwd: folder });
  await until(async () => { expect((await gateway.client.workflow.getHandle(`intake/local-cars/${head}`).describe()).type).toBe('intake'); });
  await gateway.stores.models.startIntake({ repository: 'local-cars', commit: head, branch: 'main', committer: { name: 'Ada', email: 'ada@example.com' }, message: 'first' });
  const { run } = await gateway.stores.runs.create({ model, cause: `commit/${head}`, reason: { kind: 'commit', detail: 'first', by: 'ada', force: false }, commit: head, trainingDigest: commit('t') + commit('t').slice(0, 24), policyDigest: commit('p') + commit('p').slice(0, 24) });
  await gateway.stores.models.finishIntake({ repository: 'local-cars', commit: head, status: 'accepted', models: [model], error: null });
  expect(await hook).toMatchObject({ code: 0, out: `run ${run.id} · follow: perennial show --follow ${run.id}\n` });

  git('checkout', '--quiet', '-b', 'feature');
  expect((await cli.run(['run', 'cars'])).out).toContain('nothing is trained: feature is not one of the registered branches');
});

test('predict sends the picture\'s pixels as the model asks for them, with attributes; label names the prediction', async () => {
  const received: { path: string; body: unknown; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
    request.on('end', () => {
      received.push({ path: request.url ?? '', body: text === '' ? null : JSON.parse(text), authorization: request.headers.authorization });
      const answer = request.url === `/v2/models/${model}` ? { inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, 1, 2, 3] }], parameters: { version: 1, classes: ['car', 'truck'] } }
        : request.url === '/v1/labels' ? { accepted: 1, waiting: [], changed: 0 }
          : { model_version: '1', id: 'r', parameters: { prediction_ids: ['p-1'], arm: 'live', generation: 4 }, outputs: [{ name: 'probabilities', shape: [1, 2], datatype: 'FP32', data: [0.25, 0.75] }, { name: 'class', shape: [1], datatype: 'BYTES', data: ['truck'] }] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  await gateway.stores.replicas.lease({ id: 'server-9', environment: 'production', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pid: 1, ttlMs: 60_000, serving: [{ model, version: 1, generation: 4 }] });
  await writeFile(join(cli.home, 'secrets', 'server-token'), 'pnl_server\n');
  await writeFile(join(cli.folder, 'picture.png'), encode({ width: 2, height: 1, channels: 3, depth: 8, data: new Uint8Array([1, 2, 3, 4, 5, 6]) }));
  try {
    const { code, out } = await cli.run(['predict', model, '--image', 'picture.png', '--attribute', 'light=night']);
    expect([code, out]).toEqual([0, expect.stringMatching(/p-1 +truck +0\.250 +0\.750\nby car-truck@1 \(live, generation 4\)/)]);
    expect(received[1]).toEqual({ path: `/v2/models/${model}/infer`, authorization: 'Bearer pnl_server', body: { parameters: { light: 'night' }, inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 1, 2, 3], data: [1, 2, 3, 4, 5, 6] }] } });
    expect((await cli.run(['label', '0193b3a0-0000-7000-8000-000000000000', 'truck', '--model', model])).out).toBe('kept\n');
    expect(received[2]?.body).toEqual({ labels: [{ prediction: '0193b3a0-0000-7000-8000-000000000000', label: 'truck', model }] });
  } finally {
    server.close();
    await gateway.stores.replicas.release('server-9');
  }
});

test('the registry\'s commands answer in JSON and in tables', async () => {
  expect((await cli.run(['location', 'set', 'pictures', 'data'])).code).toBe(0);
  expect((await cli.run(['location', 'list'])).out).toContain(join(cli.folder, 'data'));
  await writeFile(join(cli.folder, 'policy.json'), JSON.stringify({ v: 1, approvers: ['ada'] }));
  const policy = await json('environment', 'policy', 'production', '--set', 'policy.json');
  expect(policy.body).toMatchObject({ name: 'production', policyVersion: 2, policy: { approvers: ['ada'] } });
  expect((await cli.run(['environment', 'list'])).out).toContain('production');
  expect((await cli.run(['principal', 'list'])).out).toMatch(/ada +person .* yes +approver/);
  expect((await json('ledger', 'verify', '*', 'production')).body).toMatchObject({ ok: true, entries: 1 });
  expect((await cli.run(['audit', `${model}@1`])).code).toBe(0);
  const served = await cli.run(['served-at', model, new Date().toISOString()]);
  expect(served.code).toBe(0);
  expect((await json('status')).body['models']).toBeInstanceOf(Array);
});

test('the profile of a model, a version and a run is shown, as a page too, and suggests expectations', async () => {
  const { run, version } = await addVersion(gateway.stores, model, { live: false, generation: 0 });
  const before = await cli.run(['profile', `${model}@${version}`]);
  expect([before.code, before.err]).toEqual([1, expect.stringContaining('made before snapshots had profiles')]);

  const sketch = new DataSketch('table', { name: 'label', classes: ['no', 'yes'] }, [{ name: 'age', type: 'number', nullable: false }], 0);
  sketch.add(4, Int32Array.of(0, 1, 1, 1), [{ numbers: Float64Array.of(20, 30, 40, 90) }]);
  const snapshot = await gateway.stores.snapshots.get(digest('snapshot'));
  if (!snapshot) throw new Error('the scenario has no snapshot');
  const profile = await saveProfile(gateway, { model, snapshot: snapshot.digest, profile: { v: 1, profile: sketch.state(), parts: [] } });
  await gateway.stores.snapshots.save({ ...snapshot, profile });

  for (const of of [model, run, `${model}@${version}`]) expect((await cli.run(['profile', of])).out).toMatch(/4 rows; label: no 1 \(25\.0%\), yes 3[^]*age +number/);
  const told = await json('profile', run);
  expect(told.body).toMatchObject({ model, snapshot: snapshot.digest, profile: { rows: 4 } });
  const suggested = await cli.run(['profile', model, '--suggest']);
  expect(suggested.out).toContain('expect.between(\'age\', { min: 0 }),');

  const page = join(cli.folder, 'profile.html');
  expect((await cli.run(['profile', run, '--html', page])).code).toBe(0);
  const served = await gateway.call('GET', `/profiles/${snapshot.digest}.html`, { token: await gateway.tokenWith(['viewer']) });
  expect([served.status, served.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining('sandbox')]);
  expect(await readFile(page, 'utf8')).toBe(served.text);
  expect((await cli.run(['profile', 'absent.csv'])).code).toBe(2);
});
