import { z } from 'zod';
import { NO_COMMIT, PushEvent } from '../../contract/api/hook.js';
import { LocalHookBody, RepositoryName } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { invalidFields } from '../http/errors.js';
import { TooMany } from '../http/failure-limit.js';
import { Answer, defineRoute } from '../http/route.js';
import { isSignedBy, readHookSecret } from '../hook-secret.js';
import { startIntake } from '../intake.js';
import type { Services } from '../services.js';

const Delivery = z.string().regex(/^[A-Za-z0-9-]{1,128}$/);

/**
 * Push events as GitHub sends them. An unknown repository and a wrong signature are answered alike, so that nobody learns which
 * repositories are registered. The delivery is noted after the intake was started: GitHub sends again what was answered 503.
 */
export const gitHook = defineRoute({
  method: 'POST', path: '/hooks/git', summary: 'A push event, signed with the repository\'s hook secret (X-Hub-Signature-256)', access: 'open',
  query: z.object({ repository: z.string().max(200) }),
  async handle({ query, request, services }) {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const name = await verifiedRepository(services, query.repository, body, headerOf(request.headers['x-hub-signature-256']), request.ip);
    const event = headerOf(request.headers['x-github-event']);
    if (event === 'ping') return { pong: true };
    if (event !== 'push') return new Answer(204, undefined);
    const delivery = Delivery.safeParse(headerOf(request.headers['x-github-delivery']));
    if (!delivery.success) throw invalidFields(delivery.error, 'X-GitHub-Delivery');
    const push = parsePush(body);
    const branch = /^refs\/heads\/(.+)$/.exec(push.ref)?.[1];
    const repository = await services.stores.repositories.get(name);
    if (push.deleted === true || push.after === NO_COMMIT) return new Answer(202, { ignored: 'the branch was deleted' });
    if (branch === undefined || !repository?.branches.includes(branch)) return new Answer(202, { ignored: `${push.ref} is not one of the registered branches` });
    const { started } = await startIntake(services, { repository: name, commit: push.after, branch, via: 'hook' });
    const first = await services.stores.hooks.recordDelivery({ repository: name, delivery: delivery.data, commit: push.after });
    return started && first ? new Answer(202, { repository: name, commit: push.after, branch }) : { repository: name, commit: push.after, repeated: true };
  },
});

/** The signature is checked before PostgreSQL is asked anything, so that a flood of forged hooks costs little. */
async function verifiedRepository({ stores, config, failures }: Services, name: string, body: Uint8Array, signature: string, address: string): Promise<string> {
  const parsed = RepositoryName.safeParse(name);
  const secret = parsed.success ? await readHookSecret(config.secretsDir, parsed.data) : null;
  const genuine = isSignedBy(secret ?? 'no such repository', body, signature) && secret !== null;
  if (genuine && parsed.success && (await stores.repositories.get(parsed.data))) return parsed.data;
  if (failures.exceeded(address)) throw new TooMany();
  failures.count(address);
  await stores.hooks.refuse({ repository: secret !== null && parsed.success ? parsed.data : null, reason: secret === null || genuine ? 'unknown-repository' : signature === '' ? 'unsigned' : 'bad-signature' });
  throw new PerennialError('hook/forged', 'the hook is not signed with the secret of a registered repository');
}

function parsePush(body: Buffer): PushEvent {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new PerennialError('request/invalid', 'the body is not JSON: set the hook\'s content type to application/json', {}, { cause: error });
  }
  const parsed = PushEvent.safeParse(value);
  if (!parsed.success) throw invalidFields(parsed.error, 'body');
  return parsed.data;
}

function headerOf(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A commit on this machine, told by the hook that `perennial repository add` installed. */
export const localHook = defineRoute({
  method: 'POST', path: '/hooks/local', summary: 'A commit was made in a local repository', access: ['scientist'], body: LocalHookBody,
  async handle({ body, services }) {
    const repository = await services.stores.repositories.get(body.repository);
    if (!repository) throw new PerennialError('repository/unknown', `no repository ${body.repository} is registered`);
    if (!repository.branches.includes(body.branch)) return new Answer(202, { ignored: `${body.branch} is not one of the registered branches (${repository.branches.join(', ')})` });
    const { started } = await startIntake(services, { ...body, via: 'local' });
    return new Answer(202, { repository: body.repository, commit: body.commit, branch: body.branch, ...(started ? {} : { repeated: true }) });
  },
});
