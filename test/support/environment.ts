import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The environment without addresses of a stack that somebody else runs: who has it starts every part itself. */
export function unaddressed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(TEMPORAL_|DATABASE_URL$|S3_|AWS_|SMTP_URL$|PUBLIC_URL$|PERENNIAL_(?!CACHE$|TFJS_NODE$))/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}

/**
 * What somebody on this machine has in the environment who never saw the checkout: nothing of the test runner or of the npm that
 * started it, a home of their own. The machine's npm settings and cache stay, so that packages come from where it gets them.
 */
export async function newcomersEnvironment(home: string): Promise<NodeJS.ProcessEnv> {
  const runners = /^(npm_|INIT_CWD$|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$|CI$|GIT_(?!SSL_)|NO_COLOR$|FORCE_COLOR$)/;
  const env = unaddressed(Object.fromEntries(Object.entries(process.env).filter(([name]) => !runners.test(name))));
  const [cache, userconfig] = await Promise.all(['cache', 'userconfig'].map(async (setting) => (await promisify(execFile)('npm', ['config', 'get', setting])).stdout.trim()));
  return { ...env, HOME: home, npm_config_cache: cache, npm_config_userconfig: userconfig };
}
