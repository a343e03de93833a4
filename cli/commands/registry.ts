import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ROLES } from '../../contract/policy.js';
import { ensureKey, keyFileOf } from '../approver-key.js';
import { CommandError, UsageError } from '../errors.js';
import { plain, type Register } from '../register.js';
import { table } from '../table.js';
import { Anything, Environments, Locations, Principals } from '../views.js';

const at = (id: string) => `/principals/${encodeURIComponent(id)}`;

export const addRegistryCommands: Register = (add, program) => {
  const principal = program.command('principal').description('people and machines, and what they may do');
  add<[string], { name?: string; email?: string; machine?: boolean }>(principal, 'add <id>', 'add a person or a machine', (command) => command.option('--name <text>', 'how to call them').option('--email <address>', 'where to write to').option('--machine', 'not a person'),
    async (context, { name, email, machine = false }, id) => {
      const answer = await context.api.post(Anything, '/principals', { id, kind: machine ? 'machine' : 'person', displayName: name ?? id, email: email ?? null });
      context.answer(answer, () => `added: ${id} · next: perennial principal grant ${id} ROLE`);
      return 0;
    });
  for (const [verb, path, told] of [['grant', 'roles', 'is'], ['revoke', 'roles/revoke', 'is no longer']] as const) {
    add<[string, string], { environment?: string }>(principal, `${verb} <id> <role>`, `${verb === 'grant' ? 'give' : 'take away'} a role: ${ROLES.join(', ')}`, (command) => command.option('--environment <name>', 'only there'),
      async (context, { environment }, id, role) => {
        if (!ROLES.some((known) => known === role)) throw new UsageError(`"${role}" is not a role: one of ${ROLES.join(', ')}`);
        const answer = await context.api.post(Anything, `${at(id)}/${path}`, { role, environment: environment ?? null });
        context.answer(answer, () => `${id} ${told} ${role} ${environment ? `in ${environment}` : 'everywhere'}`);
        return 0;
      });
  }
  add<[string]>(principal, 'key <id>', 'make this approver\'s signing key on this machine and register its public half', plain, async (context, _options, id) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(id)) throw new UsageError(`"${id}" is not a principal's id`);
    const { publicKey, created } = await ensureKey(context.config.secretsDir, id);
    await context.api.put(Anything, `${at(id)}/public-key`, { publicKey });
    const file = keyFileOf(context.config.secretsDir, id);
    context.answer({ principal: id, publicKey, file, created }, () => `${created ? 'made' : 'found'} the key of ${id}: ${file}\npublic key (registered): ${publicKey}`);
    return 0;
  });
  add<[string], { scope: string[]; name: string }>(principal, 'token <id>', 'make a token; it is shown once', (command) => command.option('--scope <scope...>', 'api, predict, label', ['api']).option('--name <text>', 'what it is for', 'command line'),
    async (context, { scope, name }, id) => {
      const answer = await context.api.post(Anything, `${at(id)}/tokens`, { scopes: scope, name });
      context.answer(answer, () => `${String(answer['token'])}\nkeep it: it is not shown again`);
      return 0;
    });
  add<[string]>(principal, 'disable <id>', 'its tokens and its signature stop counting at once', plain, async (context, _options, id) => {
    const answer = await context.api.post(Anything, `${at(id)}/disable`, {});
    context.answer(answer, () => `disabled: ${id}`);
    return 0;
  });
  add(principal, 'list', 'principals and their roles', plain, async (context) => {
    const answer = await context.api.get(Principals, '/principals');
    context.answer(answer, () => table(['PRINCIPAL', 'KIND', 'NAME', 'EMAIL', 'KEY', 'ROLES'], answer.principals.map((one) => [one.id, one.kind, one.displayName, one.email, one.disabledAt ? 'disabled' : one.publicKey ? 'yes' : 'no', one.roles.map((grant) => (grant.environment ? `${grant.role} (${grant.environment})` : grant.role)).join(', ')])));
    return 0;
  });

  const location = program.command('location').description('where the names of data sources point to');
  add<[string, string]>(location, 'set <name> <uri>', 'bind a name to a folder or an S3 prefix', plain, async (context, _options, name, uri) => {
    const answer = await context.api.put(Anything, `/locations/${encodeURIComponent(name)}`, { uri: /^[a-z0-9]+:\/\//.test(uri) ? uri : resolve(context.io.cwd, uri) });
    context.answer(answer, () => `${name} is bound`);
    return 0;
  });
  add(location, 'list', 'names and where they point to', plain, async (context) => {
    const answer = await context.api.get(Locations, '/locations');
    context.answer(answer, () => table(['LOCATION', 'WHERE', 'SET BY'], answer.locations.map((one) => [one.name, one.uri, one.by])));
    return 0;
  });

  const environment = program.command('environment').description('where models serve, and by what policy');
  add(environment, 'list', 'environments and what they serve', plain, async (context) => {
    const answer = await context.api.get(Environments, '/environments');
    context.answer(answer, () => table(['ENVIRONMENT', 'POLICY', 'SERVES'], answer.environments.map((one) => [one.name, `version ${one.policyVersion}`, one.routes.flatMap((route) => route.arms.filter((arm) => arm.role === 'live').map((arm) => `${route.model}@${arm.version}`)).join(', ')])));
    return 0;
  });
  add<[string], { set?: string }>(environment, 'policy <name>', 'show an environment\'s policy, or put another one into force', (command) => command.option('--set <file>', 'a JSON file with the whole policy'),
    async (context, { set }, name) => {
      if (set !== undefined) await context.api.put(Anything, `/environments/${encodeURIComponent(name)}/policy`, await loadJson(resolve(context.io.cwd, set)));
      const found = (await context.api.get(Environments, '/environments')).environments.find((one) => one.name === name);
      if (!found) throw new CommandError('request/invalid', `there is no environment ${name}`, 'See them with `perennial environment list`.');
      context.answer(found, () => `${name}, policy version ${found.policyVersion}:\n${JSON.stringify(found.policy, null, 2)}`);
      return 0;
    });
};

async function loadJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
