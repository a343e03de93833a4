import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readKey } from '../../cli/approver-key.js';
import type { World } from '../../cli/demo/world.js';
import { AddedRepository, Anything, DecisionAnswer, EvidenceView, RolledBack } from '../../cli/views.js';
import type { Decision } from '../../contract/decision.js';
import { signDecision } from '../../domain/decision.js';
import { MODEL } from './repository.js';

const APPROVER = 'bench-approver';

/** Those who act on the stack: a forge that sends hooks, an approver, an operator. Times are milliseconds since 1970. */
export interface People {
  /** Sends the push event; gives when it was accepted. */
  push(commit: string): Promise<number>;
  /** An approval of the run's present evidence, signed and not sent yet. */
  signApproval(run: string): Promise<Decision>;
  /** Gives when it was sent. */
  decide(decision: Decision): Promise<number>;
  /** Gives when it was asked for, and the version that production goes back to. */
  rollBack(): Promise<{ at: number; to: number }>;
}

export async function createPeople(world: World, repository: string): Promise<People> {
  const { context } = world;
  const { hook } = await context.api.post(AddedRepository, '/repositories', { name: MODEL, url: repository, branches: ['main'], pollSeconds: 0 });
  await world.perennial('principal', 'add', APPROVER, '--name', 'Bench Approver', '--email', 'approver@example.com');
  await world.perennial('principal', 'grant', APPROVER, 'approver');
  await world.perennial('principal', 'key', APPROVER);
  const key = await readKey(context.config.secretsDir, APPROVER);
  if (!key) throw new Error(`${APPROVER} has no key in ${context.config.secretsDir}`);

  return {
    async push(commit) {
      const body = JSON.stringify({ ref: 'refs/heads/main', after: commit });
      const response = await fetch(`${context.api.url}${hook.path}`, {
        method: 'POST', body,
        headers: { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': randomUUID(), 'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}` },
      });
      const at = Date.now();
      const text = await response.text();
      if (response.status !== 202) throw new Error(`the hook was answered ${response.status}: ${text}`);
      return at;
    },
    async signApproval(run) {
      const { digest } = await context.api.get(EvidenceView, `/runs/${run}/evidence`);
      return signDecision({ v: 1, run, evidence: digest, verdict: 'approve', comment: '', approver: APPROVER, nonce: randomBytes(18).toString('base64url') }, key.privateKey);
    },
    async decide(decision) {
      const at = Date.now();
      await context.api.post(DecisionAnswer, `/runs/${decision.run}/decisions`, decision);
      return at;
    },
    async rollBack() {
      const at = Date.now();
      const { to } = await context.api.post(RolledBack, `/models/${MODEL}/rollback`, { environment: 'production', reason: 'measured', to: null, id: randomUUID(), breakGlass: false });
      return { at, to };
    },
  };
}

/** Where the model's pictures are. */
export async function placePictures({ context }: World, uri: string): Promise<void> {
  await context.api.put(Anything, '/locations/pictures', { uri });
}
