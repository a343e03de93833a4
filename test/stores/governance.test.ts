import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../contract/decision.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { addModel, addRun, digest } from './samples.js';

let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase({ max: 12 }); });
afterAll(() => t.drop());

const times = <T>(n: number, fn: (index: number) => Promise<T>) => Promise.all(Array.from({ length: n }, (_, index) => fn(index)));

describe('decisions', () => {
  const decision = (run: string, nonce: string, more: Partial<Decision> = {}): Decision =>
    ({ v: 1, run, evidence: digest('evidence'), verdict: 'approve', comment: '', approver: 'ada', nonce: nonce.padEnd(16, '-'), signature: '', ...more });
  const record = (d: Decision) => t.stores.decisions.record({ decision: d, via: 'signal', accepted: true, refusal: null, payloadDigest: digest(JSON.stringify(d)) });

  it('of valid decisions that race, one is accepted and the others are refused as repeated', async () => {
    const run = await addRun(t.stores, await addModel(t.stores));
    const answers = await times(10, (index) => record(decision(run, `race-${run}-${index}`, { verdict: index % 2 ? 'approve' : 'reject' })));
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
    expect(answers.filter(({ refusal }) => refusal === 'decision/repeated')).toHaveLength(9);
    const accepted = await t.stores.decisions.acceptedFor(run, digest('evidence'));
    expect(accepted?.id).toBe(answers.find((answer) => answer.accepted)?.id);
    expect(await t.stores.decisions.list(run)).toHaveLength(10);
  });

  it('the same payload again gives what became of it the first time', async () => {
    const run = await addRun(t.stores, await addModel(t.stores));
    const answers = await times(8, () => record(decision(run, `same-${run}`)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.every(({ accepted }) => accepted)).toBe(true);
    expect(answers.filter(({ first }) => first)).toHaveLength(1);
  });

  it('a nonce is good once, also for another run; new evidence takes a new decision', async () => {
    const model = await addModel(t.stores);
    const [first, second] = [await addRun(t.stores, model), await addRun(t.stores, model)];
    expect(await record(decision(first, `nonce-${first}`))).toMatchObject({ accepted: true });
    expect(await record(decision(second, `nonce-${first}`))).toMatchObject({ accepted: false, refusal: 'decision/repeated' });
    expect(await record(decision(first, `again-${first}`, { evidence: digest('judged again') }))).toMatchObject({ accepted: true });
    expect(await t.stores.decisions.acceptedFor(first)).toMatchObject({ evidence: digest('judged again') });
  });

  it('a refusal is recorded with its code and stands in nobody\'s way', async () => {
    const run = await addRun(t.stores, await addModel(t.stores));
    const forged = decision(run, `forged-${run}`, { comment: 'let me in\0' });
    expect(await t.stores.decisions.record({ decision: forged, via: 'update', accepted: false, refusal: 'decision/unsigned', payloadDigest: digest('forged') })).toMatchObject({ accepted: false, first: true, refusal: 'decision/unsigned' });
    expect(await record(decision(run, `forged-${run}`))).toMatchObject({ accepted: true });
  });
});

describe('ledger', () => {
  const entry = (chain: string, eventId: string) => ({ chain, eventId, actor: 'ada', action: 'run.note', subject: { run: 'r1', share: 0.1, nested: { b: [1, 2.50, null], a: 'é\u2028' } }, at: '2026-11-21T09:00:00.123+01:00' });

  it('fifty writers at once leave one unbroken chain', async () => {
    const other = t.another({ max: 8 });
    const written = await times(50, (index) => (index % 2 ? t : other).stores.ledger.append(entry('cars/production', `e${index}`)));
    expect(written.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(await t.stores.ledger.verify('cars/production')).toEqual({ ok: true, entries: 50 });
    expect(await t.stores.ledger.head('cars/production')).toMatchObject({ seq: 50, at: '2026-11-21T08:00:00.123Z' });
  });

  it('the same event again gives its first row', async () => {
    const first = await t.stores.ledger.append(entry('again/production', 'e'));
    const repeated = await times(5, () => t.stores.ledger.append({ ...entry('again/production', 'e'), actor: 'somebody else' }));
    expect(repeated).toEqual(Array(5).fill({ ...first, appended: false }));
    expect(await t.stores.ledger.list('again/production')).toHaveLength(1);
  });

  it('hostile text does not stop an entry, and the chain still verifies', async () => {
    await t.stores.ledger.append({ ...entry('hostile/production', 'e\0'), actor: 'mal\0lory', subject: { text: '\0\ud800\\u0000', 'key\0': '\\\\u0000' } });
    await t.stores.ledger.append({ ...entry('hostile/production', 'e\0') });
    expect(await t.stores.ledger.list('hostile/production')).toHaveLength(1);
    expect(await t.stores.ledger.verify('hostile/production')).toEqual({ ok: true, entries: 1 });
    expect((await t.stores.ledger.head('hostile/production'))?.subject).toEqual({ text: '\uFFFD\uFFFD\\u0000', 'key\uFFFD': '\\\\u0000' });
  });

  it('refuses changes, and finds those that somebody forced', async () => {
    const chain = 'tampered/production';
    for (const id of ['a', 'b', 'c', 'd']) await t.stores.ledger.append(entry(chain, id));
    await expect(t.db.query(`update ledger set actor = 'mallory' where chain = $1`, [chain])).rejects.toThrow(/append-only/);
    const force = (sql: string) => t.db.transaction(async (tx) => {
      await tx.query("set local session_replication_role = 'replica'");
      await tx.query(sql, [chain]);
    });
    await force(`update ledger set subject = jsonb_set(subject, '{share}', '0.2') where chain = $1 and seq = 3`);
    expect(await t.stores.ledger.verify(chain)).toMatchObject({ ok: false, brokenAt: 3 });
    await force(`update ledger set subject = jsonb_set(subject, '{share}', '0.1') where chain = $1 and seq = 3`);
    expect(await t.stores.ledger.verify(chain)).toMatchObject({ ok: true });
    await force(`delete from ledger where chain = $1 and seq = 2`);
    expect(await t.stores.ledger.verify(chain)).toMatchObject({ ok: false, brokenAt: 2 });
  });

  it('finds an end that was cut off, and a chain that was written anew, by the anchors', async () => {
    const chain = 'anchored/production';
    for (const id of ['a', 'b', 'c']) await t.stores.ledger.append(entry(chain, id));
    const head = await t.stores.ledger.head(chain);
    if (!head) throw new Error('no head');
    await t.stores.ledger.anchor({ chain, seq: head.seq, hash: head.hash, uri: 's3://perennial/ledger/anchored' });
    const rewrite = () => t.db.transaction(async (tx) => {
      await tx.query("set local session_replication_role = 'replica'");
      await tx.query('delete from ledger where chain = $1 and seq >= 2', [chain]);
    });
    await rewrite();
    expect(await t.stores.ledger.verify(chain)).toMatchObject({ ok: false, brokenAt: 2, why: 'row 3 was anchored and is gone' });
    for (const id of ['b', 'x']) await t.stores.ledger.append(entry(chain, id));
    expect(await t.stores.ledger.verify(chain)).toMatchObject({ ok: false, brokenAt: 3, why: 'row 3 is not the one that was anchored' });
  });
});

describe('principals', () => {
  const ada = { id: 'ada', kind: 'person' as const, displayName: 'Ada', email: 'ada@example.com', publicKey: Buffer.alloc(32, 7).toString('base64') };

  it('a token is stored as its hash only, works until it is revoked or its owner disabled', async () => {
    const { principals } = t.stores;
    await principals.create(ada);
    await principals.grant('ada', 'approver', 'production');
    await principals.grant('ada', 'approver', 'production');
    const { token, id } = await principals.createToken({ principal: 'ada', scopes: ['api'], name: 'laptop' });
    expect(token).toMatch(/^pnl_[\w-]{43}$/);
    expect(await principals.authenticate(token)).toMatchObject({ principal: { id: 'ada' }, roles: [{ role: 'approver', environment: 'production' }], scopes: ['api'] });
    expect(await principals.authenticate(`${token}x`)).toBeNull();
    const kept = JSON.stringify(await t.db.query('select * from tokens'));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(token.slice(4));
    expect(kept).toContain(digest(token));
    await principals.revokeToken(id);
    expect(await principals.authenticate(token)).toBeNull();
    await principals.ensureToken({ token, principal: 'ada', scopes: ['api'], name: 'again' });
    expect(await principals.authenticate(token)).toBeNull();
    const second = await principals.createToken({ principal: 'ada', scopes: [], name: 'second' });
    await principals.disable('ada');
    expect(await principals.authenticate(second.token)).toBeNull();
    expect(await principals.withRole('approver', 'production')).toEqual([]);
  });

  it('a principal that exists keeps its key; a role in all environments holds in each', async () => {
    const { principals } = t.stores;
    await principals.create({ ...ada, id: 'bob' });
    await principals.create({ ...ada, id: 'bob', publicKey: Buffer.alloc(32, 9).toString('base64') });
    expect((await principals.get('bob'))?.publicKey).toBe(ada.publicKey);
    await principals.grant('bob', 'operator', null);
    expect((await principals.withRole('operator', 'production')).map(({ id }) => id)).toEqual(['bob']);
    expect(await principals.withRole('approver', 'production')).toEqual([]);
    await expect(principals.setPublicKey('bob', 'c2hvcnQ=')).rejects.toThrow(/32 bytes/);
  });
});

describe('environments', () => {
  it('a policy counts its versions and is in the ledger; the same one again changes nothing', async () => {
    const { environments, ledger } = t.stores;
    const policy = { v: 1 as const, automaticApproval: true, approvers: ['ada'] };
    const first = await environments.setPolicy('production', policy, 'admin');
    expect(first.policyVersion).toBe(2);
    expect((await environments.setPolicy('production', policy, 'admin')).policyVersion).toBe(2);
    await times(4, (index) => environments.setPolicy('production', { v: 1, approvers: [`p${index}`] }, 'admin'));
    expect((await environments.get('production'))?.policyVersion).toBe(6);
    expect((await ledger.list('*/production')).map(({ subject }) => subject['policyVersion'])).toEqual([2, 3, 4, 5, 6]);
    expect((await environments.setPolicy('staging', policy, 'admin')).policyVersion).toBe(1);
  });

  it('a model is paused with a reason and goes on without one', async () => {
    const model = await addModel(t.stores);
    const { environments } = t.stores;
    expect(await environments.isPaused('production', model)).toBe(false);
    await environments.setPaused('production', model, true, { reason: 'rolled back', by: 'ada' });
    expect(await environments.state('production', model)).toMatchObject({ paused: true, reason: 'rolled back', by: 'ada' });
    await environments.setPaused('production', model, false, { reason: 'safe again', by: 'ada' });
    expect(await environments.state('production', model)).toMatchObject({ paused: false, reason: null });
  });
});

describe('outbox, slots, findings', () => {
  it('two senders never take the same message; a failed one waits, an unmarked one comes again', async () => {
    const { outbox } = t.stores;
    expect(await times(3, () => outbox.enqueue({ id: 'm0', kind: 'mail', payload: { to: 'ada' } }))).toContain(true);
    await times(19, (index) => outbox.enqueue({ id: `m${index + 1}`, kind: 'mail', payload: { to: 'ada' } }));
    const other = t.another();
    const [a, b, c] = await Promise.all([outbox.claim(8, 60_000), other.stores.outbox.claim(8, 60_000), outbox.claim(8, 60_000)]);
    const ids = [...a, ...b, ...c].map(({ id }) => id);
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
    expect(await outbox.claim(8, 60_000)).toEqual([]);
    await outbox.sent('m0');
    await outbox.failed('m1', 'no route to host');
    const pending = await outbox.pending();
    expect(pending).toHaveLength(19);
    expect(pending.find(({ id }) => id === 'm1')).toMatchObject({ attempts: 1, error: 'no route to host' });
    await t.db.query("update outbox set next_at = now() - interval '1 second' where id in ('m1', 'm2')"); // their waits are over
    expect((await outbox.claim(8, 1)).map(({ id, attempts }) => [id, attempts]).sort()).toEqual([['m1', 2], ['m2', 2]]);
    expect(await outbox.enqueue({ id: 'm0', kind: 'mail', payload: {} })).toBe(false);
  });

  it('a slot has one holder until it is released or lapses', async () => {
    const { slots } = t.stores;
    const won = await times(6, (index) => slots.acquire('test-environment', `run-${index}`, 60_000));
    expect(won.filter(Boolean)).toHaveLength(1);
    const holder = `run-${won.indexOf(true)}`;
    expect(await slots.acquire('test-environment', holder, 60_000)).toBe(true);
    await slots.release('test-environment', 'somebody else');
    expect(await slots.holder('test-environment')).toBe(holder);
    expect(await slots.renew('test-environment', holder, -1)).toBe(true);
    expect(await slots.acquire('test-environment', 'next', 60_000)).toBe(true);
    expect(await slots.renew('test-environment', holder, 60_000)).toBe(false);
  });

  it('one finding a key is open at a time', async () => {
    const model = await addModel(t.stores);
    const { alerts } = t.stores;
    const finding = { model, environment: 'production', version: 1, key: 'accuracy', check: 'c1', severity: 'critical' as const, message: 'below 0.8', data: { value: 0.7 } };
    const opened = await times(5, () => alerts.openFinding(finding));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened.filter((answer) => answer.opened)).toHaveLength(1);
    expect(await alerts.closeFinding(finding)).toBe(true);
    expect(await alerts.closeFinding(finding)).toBe(false);
    expect(await alerts.openFinding(finding)).toMatchObject({ opened: true });
    expect(await alerts.listFindings({ model, open: false })).toHaveLength(1);
  });
});
