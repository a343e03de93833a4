import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Decision } from '../../contract/decision.js';
import { decisionMessage, generateKeyPair, judgeDecision, signDecision, verifyDecision } from '../../domain/decision.js';
import type { DecisionQuestion, UnsignedDecision } from '../../domain/decision.js';
import { toBase64 } from '../../domain/base64.js';

const seed = (fill: number) => new Uint8Array(32).fill(fill);
const ada = generateKeyPair(seed(1));
const eve = generateKeyPair(seed(2));
const unsigned: UnsignedDecision = {
  v: 1, run: 'car-truck-7', evidence: 'a'.repeat(64), verdict: 'approve', comment: 'Nacht: 0,83 – gut €', approver: 'ada', nonce: '0123456789abcdef',
};
const signed = signDecision(unsigned, ada.privateKey);

describe('signatures', () => {
  test('keys are those of RFC 8032, section 7.1, test 1', () => {
    const secret = Uint8Array.from(Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'));
    expect(Buffer.from(generateKeyPair(secret).publicKey, 'base64').toString('hex')).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(() => generateKeyPair(new Uint8Array(31))).toThrow(RangeError);
  });

  test('the message is canonical JSON without the signature, whatever the order of members', () => {
    expect(new TextDecoder().decode(decisionMessage(signed))).toBe(
      `{"approver":"ada","comment":"Nacht: 0,83 – gut €","evidence":"${'a'.repeat(64)}","nonce":"0123456789abcdef","run":"car-truck-7","v":1,"verdict":"approve"}`,
    );
  });

  test('a signed decision meets the contract, and another implementation of Ed25519 accepts it', () => {
    expect(Decision.parse(signed)).toEqual(signed);
    expect(verifyDecision(signed, ada.publicKey)).toBe(true);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(ada.publicKey, 'base64')]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify(null, decisionMessage(signed), key, Buffer.from(signed.signature, 'base64'))).toBe(true);
  });

  test.each([
    ['run', { run: 'car-truck-8' }], ['evidence', { evidence: 'b'.repeat(64) }], ['verdict', { verdict: 'reject' as const }],
    ['comment', { comment: '' }], ['approver', { approver: 'eve' }], ['nonce', { nonce: '0123456789abcdeg' }],
  ])('a changed %s breaks it', (_field, change) => {
    expect(verifyDecision({ ...signed, ...change }, ada.publicKey)).toBe(false);
  });

  test('another key, and anything that is no signature or no key, is false and not an error', () => {
    expect(verifyDecision(signed, eve.publicKey)).toBe(false);
    for (const signature of ['', 'AA==', 'not base64', toBase64(new Uint8Array(64)), toBase64(new Uint8Array(64).fill(255))]) expect(verifyDecision({ ...signed, signature }, ada.publicKey)).toBe(false);
    for (const key of ['', 'AA==', 'not base64', toBase64(new Uint8Array(32).fill(255))]) expect(verifyDecision(signed, key)).toBe(false);
    expect(verifyDecision({ ...signed, comment: '\ud800' }, ada.publicKey)).toBe(false);
  });

  test('a key of small order, under which one signature would fit every message, is refused', () => {
    const identity = new Uint8Array(32).fill(0);
    identity[0] = 1;
    const forged = new Uint8Array(64);
    forged[0] = 1; // R the identity, S zero: S·B = R + k·A holds for every k
    expect(verifyDecision({ ...signed, signature: toBase64(forged) }, toBase64(identity))).toBe(false);
  });
});

describe('admission of a decision', () => {
  const question: DecisionQuestion = {
    decision: signed, run: unsigned.run, currentEvidence: unsigned.evidence,
    approver: { known: true, publicKey: ada.publicKey, mayApprove: true }, alreadyAccepted: false, runOpen: true,
  };
  const judge = (change: Partial<DecisionQuestion>) => judgeDecision({ ...question, ...change });

  test('a signed one on the present evidence, by somebody who may, is accepted', () => {
    expect(judge({})).toEqual({ accepted: true });
  });

  test.each<[string, Partial<DecisionQuestion>, string]>([
    ['what is no decision', { decision: null }, 'decision/malformed'],
    ['an unsigned one', { decision: { ...signed, signature: '' } }, 'decision/unsigned'],
    ['one by a stranger', { approver: { known: false, publicKey: null, mayApprove: false } }, 'decision/unknown-approver'],
    ['one by somebody who was removed', { approver: { known: false, publicKey: ada.publicKey, mayApprove: true } }, 'decision/unknown-approver'],
    ['one by somebody without a key', { approver: { known: true, publicKey: null, mayApprove: true } }, 'decision/unknown-approver'],
    ['a forged one', { decision: { ...signDecision(unsigned, eve.privateKey) } }, 'decision/unsigned'],
    ['one by somebody who may not', { approver: { known: true, publicKey: ada.publicKey, mayApprove: false } }, 'decision/not-allowed'],
    ['one after the run is over', { runOpen: false }, 'decision/late'],
    ['a second one', { alreadyAccepted: true }, 'decision/repeated'],
    ['one on other evidence', { currentEvidence: 'b'.repeat(64) }, 'decision/stale-evidence'],
    ['one before there is evidence', { currentEvidence: null }, 'decision/stale-evidence'],
    ['one on another run', { run: 'car-truck-8' }, 'decision/stale-evidence'],
  ])('%s is refused', (_what, change, code) => {
    expect(judge(change)).toEqual({ accepted: false, code });
  });

  test('a stranger learns nothing about the state of the run', () => {
    const stranger = { approver: { known: false, publicKey: null, mayApprove: false } };
    const answers = [{}, { runOpen: false }, { alreadyAccepted: true }, { currentEvidence: null }].map((state) => judge({ ...stranger, ...state }));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
});
