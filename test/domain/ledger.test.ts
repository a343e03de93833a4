import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LEDGER_START, ledgerHash, verifyChain } from '../../domain/ledger.js';
import type { LedgerRow } from '../../domain/ledger.js';

function chainOf(length: number, chain = 'car-truck/production'): LedgerRow[] {
  const rows: LedgerRow[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const content = { chain, seq, eventId: `event-${seq}`, at: '2026-11-21T09:00:00.000Z', actor: 'ada', action: 'approved', subject: { run: 'r1', version: seq }, previous: rows.at(-1)?.hash ?? LEDGER_START };
    rows.push({ ...content, hash: ledgerHash(content) });
  }
  return rows;
}
const rows = chainOf(5);

describe('a chain', () => {
  test('is whole as it was written, and a row\'s hash is sha256 of its canonical JSON', () => {
    expect(verifyChain(rows)).toEqual({ ok: true, rows: 5, head: { seq: 5, hash: rows[4]?.hash } });
    const text = `{"action":"approved","actor":"ada","at":"2026-11-21T09:00:00.000Z","chain":"car-truck/production","eventId":"event-1","previous":"${'0'.repeat(64)}","seq":1,"subject":{"run":"r1","version":1}}`;
    expect(rows[0]?.hash).toBe(createHash('sha256').update(text).digest('hex'));
    expect(verifyChain([])).toMatchObject({ ok: true, rows: 0 });
  });

  test.each<[string, Partial<LedgerRow>]>([
    ['actor', { actor: 'eve' }], ['action', { action: 'rejected' }], ['time', { at: '2026-11-21T09:00:01.000Z' }], ['subject', { subject: { run: 'r1', version: 9 } }], ['event', { eventId: 'event-9' }], ['hash', { hash: 'f'.repeat(64) }],
  ])('shows a changed %s', (_what, change) => {
    expect(verifyChain(rows.map((row) => (row.seq === 3 ? { ...row, ...change } : row)))).toMatchObject({ ok: false, seq: 3, reason: 'row 3 was changed after it was written' });
  });

  test('shows a row rewritten with a hash that fits it', () => {
    const forged = rows.map((row) => { if (row.seq !== 3) return row; const content = { ...row, actor: 'eve' }; return { ...content, hash: ledgerHash(content) }; });
    expect(verifyChain(forged)).toMatchObject({ ok: false, seq: 4, reason: 'row 4 does not follow the one before' });
  });

  test('shows rows that are missing, changed places, or belong elsewhere', () => {
    expect(verifyChain(rows.filter((row) => row.seq !== 2))).toMatchObject({ ok: false, seq: 2, reason: 'row 2 is missing' });
    expect(verifyChain(rows.slice(1))).toMatchObject({ ok: false, seq: 1 });
    expect(verifyChain([...rows].reverse())).toMatchObject({ ok: false, seq: 1 });
    expect(verifyChain([...rows.slice(0, 2), ...chainOf(5, 'other/production').slice(2)])).toMatchObject({ ok: false, seq: 3, reason: 'row 3 is of chain other/production' });
  });

  test('is verified in pages as in one go', () => {
    const first = verifyChain(rows.slice(0, 2));
    expect(first.ok && verifyChain(rows.slice(2), first.head)).toEqual({ ok: true, rows: 3, head: { seq: 5, hash: rows[4]?.hash } });
    expect(verifyChain(rows.slice(2), { seq: 2, hash: LEDGER_START })).toMatchObject({ ok: false, seq: 3 });
  });
});
