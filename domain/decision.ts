import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Decision } from '../contract/decision.js';
import type { ErrorCode } from '../contract/errors.js';
import { fromBase64, toBase64 } from './base64.js';
import { canonicalJson } from './canonical.js';

export type UnsignedDecision = Omit<Decision, 'signature'>;

/** An approver's key pair: Ed25519 (RFC 8032), `privateKey` the 32-byte seed, `publicKey` 32 bytes in base64. */
export interface KeyPair { readonly privateKey: Uint8Array; readonly publicKey: string }

/**
 * The key pair of a seed.
 * @param seed 32 bytes from a cryptographic random source; the caller draws it, because nothing here may be random.
 * @throws RangeError for another length.
 */
export function generateKeyPair(seed: Uint8Array): KeyPair {
  if (seed.length !== 32) throw new RangeError(`a key's seed has 32 bytes, not ${seed.length}`);
  const privateKey = Uint8Array.from(seed);
  return { privateKey, publicKey: toBase64(ed25519.getPublicKey(privateKey)) };
}

/** The bytes that are signed: canonical JSON (RFC 8785) of the decision without its signature, as UTF-8. */
export function decisionMessage(decision: UnsignedDecision): Uint8Array {
  const { v, run, evidence, verdict, comment, approver, nonce } = decision;
  return utf8ToBytes(canonicalJson({ v, run, evidence, verdict, comment, approver, nonce }));
}

/** The decision with its signature by the approver's own key (the 32-byte seed of {@link generateKeyPair}). */
export function signDecision(unsigned: UnsignedDecision, privateKey: Uint8Array): Decision {
  return { ...unsigned, signature: toBase64(ed25519.sign(decisionMessage(unsigned), privateKey)) };
}

/**
 * Whether the signature over exactly this decision was made with the key. Never throws: a damaged key or signature is `false`.
 * Strict (RFC 8032, not ZIP 215): the looser rules accept keys under which one signature fits every message.
 */
export function verifyDecision(decision: Decision, publicKeyBase64: string): boolean {
  const signature = fromBase64(decision.signature);
  const publicKey = fromBase64(publicKeyBase64);
  if (signature?.length !== 64 || publicKey?.length !== 32) return false;
  try {
    return ed25519.verify(signature, decisionMessage(decision), publicKey, { zip215: false });
  } catch {
    return false; // a point that is not on the curve, or a text that has no UTF-8 form
  }
}

export interface DecisionQuestion {
  /** The payload as the contract's schema parsed it (a missing signature read as `''`), or null when it did not parse. */
  readonly decision: Decision | null;
  readonly run: string;
  /** Digest of the evidence that is open for decision now; null when there is none. */
  readonly currentEvidence: string | null;
  /** What the registry knows of `decision.approver`. `mayApprove`: the role, and the environment's list of approvers. */
  readonly approver: { readonly known: boolean; readonly publicKey: string | null; readonly mayApprove: boolean };
  readonly alreadyAccepted: boolean;
  readonly runOpen: boolean;
}

export type DecisionAnswer = { readonly accepted: true } | { readonly accepted: false; readonly code: ErrorCode };

/**
 * Whether a decision counts. Who speaks is settled before anything about the run is told, so that a stranger's answer
 * is the same whatever state the run is in.
 */
export function judgeDecision({ decision, run, currentEvidence, approver, alreadyAccepted, runOpen }: DecisionQuestion): DecisionAnswer {
  if (!decision) return refuse('decision/malformed');
  if (decision.signature === '') return refuse('decision/unsigned');
  if (!approver.known || approver.publicKey === null) return refuse('decision/unknown-approver');
  if (!verifyDecision(decision, approver.publicKey)) return refuse('decision/unsigned');
  if (!approver.mayApprove) return refuse('decision/not-allowed');
  if (!runOpen) return refuse('decision/late');
  if (alreadyAccepted) return refuse('decision/repeated');
  // A decision on another run is refused as one on other evidence: evidence names its run.
  if (decision.run !== run || decision.evidence !== currentEvidence) return refuse('decision/stale-evidence');
  return { accepted: true };
}

function refuse(code: ErrorCode): DecisionAnswer {
  return { accepted: false, code };
}
