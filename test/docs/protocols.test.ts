import { createHmac, createPublicKey, verify } from 'node:crypto';
import { transform } from 'esbuild';
import { expect, it } from 'vitest';
import { Decision } from '../../contract/decision.js';
import { decisionMessage, generateKeyPair, judgeDecision, verifyDecision } from '../../domain/decision.js';
import { ledgerHash, type LedgerRow } from '../../domain/ledger.js';
import { isSignedBy } from '../../gateway/hook-secret.js';
import { inferenceResponse } from '../../serving/protocol/response.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';
import { blocksOf } from './support.js';

const blocks = blocksOf('docs/protocols.md');
const texts = (language: string) => blocks.filter((block) => block.language === language).map((block) => block.text);
const [seed = '', publicKey = '', message = '', hookHeader = ''] = texts('text');
const [decisionText = '', entryText = '', answerText = '', hookBody = ''] = texts('json');
const decision = Decision.parse(JSON.parse(decisionText));

it('the decision of the page is signed as the page says, by our code and by Node\'s own', () => {
  const keys = generateKeyPair(Buffer.from(seed, 'base64'));
  expect(keys.publicKey).toBe(publicKey);
  expect(Buffer.from(decisionMessage(decision)).toString('utf8')).toBe(message);
  expect(verifyDecision(decision, publicKey)).toBe(true);
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'base64').toString('base64url') }, format: 'jwk' });
  expect(verify(null, Buffer.from(message, 'utf8'), key, Buffer.from(decision.signature, 'base64'))).toBe(true);
});

it('a decision that differs in one word from the signed one is refused', () => {
  const judged = judgeDecision({ decision: { ...decision, comment: 'Good by day' }, run: decision.run, currentEvidence: decision.evidence, approver: { known: true, publicKey, mayApprove: true }, alreadyAccepted: false, runOpen: true });
  expect(judged).toEqual({ accepted: false, code: 'decision/unsigned' });
});

it('the function of the page signs the decision of the page', async () => {
  const [code = ''] = texts('ts');
  const { code: script } = await transform(code, { loader: 'ts', format: 'esm', target: 'es2022' });
  const { signDecision } = await import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`) as { signDecision: (unsigned: object, seed: string, publicKey: string) => unknown };
  const { signature: _signature, ...unsigned } = decision;
  expect(signDecision(unsigned, seed, publicKey)).toEqual(decision);
});

it('the ledger entry of the page has the hash of the page', () => {
  const entry = JSON.parse(entryText) as LedgerRow;
  expect(ledgerHash(entry)).toBe(entry.hash);
});

it('the hook of the page is taken', () => {
  expect(isSignedBy('a-secret-for-the-example', Buffer.from(hookBody), hookHeader)).toBe(true);
  expect(hookHeader).toBe(`sha256=${createHmac('sha256', 'a-secret-for-the-example').update(hookBody).digest('hex')}`);
});

it('the inference request of the page is one, and is answered in the form of the page', () => {
  const curl = texts('sh').find((text) => text.includes('/infer')) ?? '';
  const request = parseInferenceRequest(JSON.parse(/-d '(\{.*\})'/s.exec(curl)?.[1] ?? ''));
  const signature = { inputs: ['age', 'visits'].map((name) => ({ name, datatype: 'FP32' as const, shape: [1] })), outputs: [], classes: ['leaves', 'stays'] };
  expect(rowsOf(request, signature, 10).count).toBe(2);
  const documented = JSON.parse(answerText) as ReturnType<typeof inferenceResponse>;
  const answered = inferenceResponse({ model: 'churn', version: 1, generation: 1, arm: 'live', id: request.id ?? '', predictionIds: documented.parameters.prediction_ids, answers: [{ class: 'stays', probabilities: [0.0134, 0.9866] }, { class: 'leaves', probabilities: [0.999996, 0.000004] }] }, signature, new Set(['probabilities', 'class']));
  expect(answered).toEqual(documented);
});
