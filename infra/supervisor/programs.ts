import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { givenInEnvironment, serverVariable, variableGroups } from '../config/variables.js';
import { loadNativeParts } from '../native.js';
import { homeLayout } from '../stack/home.js';
import { packageRoot } from '../stack/package-root.js';
import { assignPorts, loopback } from '../stack/ports.js';
import type { Program } from '../stack/program.js';
import { planStack, stackParts, type StackPart } from '../stack/stack.js';
import { loadStackFile, saveStackFile } from '../stack/state.js';
import { COMPUTE_ARGUMENTS, SERVER_ARGUMENTS } from './node-arguments.js';

const minute = 60_000;

/**
 * Perennial's own processes, in the order of their stages. `heapMb` bounds what JavaScript may hold (TensorFlow runs in children
 * of these); `graceMs` is what a process gets to finish its work before it is killed.
 */
const processes = {
  migrate: { stage: 1, entry: 'workers/migrate.js', needs: ['postgres'], args: [], heapMb: 128, graceMs: 30_000 },
  lifecycle: { stage: 2, entry: 'workers/lifecycle.js', needs: ['postgres', 's3', 'temporal', 'smtp'], args: [], heapMb: 320, graceMs: 30_000 },
  compute: { stage: 2, entry: 'workers/compute.js', needs: ['postgres', 's3', 'temporal'], args: [], heapMb: 512, nodeArguments: COMPUTE_ARGUMENTS, graceMs: 30_000 },
  training: { stage: 2, entry: 'workers/training.js', needs: ['postgres', 's3', 'temporal'], args: [], heapMb: 320, graceMs: 30_000 },
  gateway: { stage: 2, entry: 'workers/gateway.js', needs: ['postgres', 's3', 'temporal'], args: [], heapMb: 192, graceMs: 15_000 },
  'server-test': { stage: 2, entry: 'workers/server.js', needs: ['postgres', 's3'], args: ['--environment', 'test', '--replica', '1'], heapMb: 320, nodeArguments: SERVER_ARGUMENTS, graceMs: 30_000 },
  'server-production': { stage: 2, entry: 'workers/server.js', needs: ['postgres', 's3'], args: ['--environment', 'production', '--replica', '1'], heapMb: 320, nodeArguments: SERVER_ARGUMENTS, graceMs: 30_000 },
} as const satisfies Record<string, ProcessSpec>;

interface ProcessSpec {
  stage: number;
  entry: string;
  /** parts without whose address it ends at once */
  needs: readonly StackPart[];
  args: readonly string[];
  heapMb: number;
  nodeArguments?: readonly string[];
  graceMs: number;
}
type ProcessName = keyof typeof processes;

export const programNames = [...stackParts, ...(Object.keys(processes) as ProcessName[])] as const;
export type ProgramName = (typeof programNames)[number];

/** Tried first where nothing was chosen before, so that addresses are easy to remember. */
const listeners = {
  gateway: { program: 'gateway', variable: 'PERENNIAL_GATEWAY', preferred: 7420 },
  production: { program: 'server-production', variable: serverVariable('production'), preferred: 7421 },
  test: { program: 'server-test', variable: serverVariable('test'), preferred: 7422 },
} as const;

/** What programs need that is neither among them nor given by an address: for each such part, a sentence. */
export function missingParts(only: readonly ProgramName[], env: NodeJS.ProcessEnv): string[] {
  const started = only.filter((name): name is ProcessName => name in processes);
  return stackParts.filter((part) => !only.includes(part) && !givenInEnvironment(part, env)).flatMap((part) => {
    const users = started.filter((name) => (processes[name].needs as readonly StackPart[]).includes(part));
    return users.length === 0 ? [] : [`${users.join(', ')}: ${part} is needed; name it as well, or set ${variableGroups[part].addresses[0]}`];
  });
}

export interface ProgramsPlan {
  programs: Program[];
  notes: string[];
}

export interface ProgramsOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  /** default: all */
  only?: readonly ProgramName[];
  /** programs that still run from before and keep their ports */
  running?: ReadonlySet<string>;
}

/** The programs of this home: embedded parts whose address is not given, then migrations, then Perennial's own processes. */
export async function planPrograms({ home, env, only = programNames, running = new Set() }: ProgramsOptions): Promise<ProgramsPlan> {
  const isPart = (name: ProgramName): name is StackPart => (stackParts as readonly string[]).includes(name);
  const stack = await planStack({ home, parts: only.filter(isPart), env, executables: () => loadNativeParts(env), running });
  const names = only.filter((name): name is ProcessName => !isPart(name));
  const urls = await chooseListeners(home, env, names, running);
  return {
    programs: [...stack.programs, ...names.map((name) => processProgram(name, home, env, urls[name]))],
    notes: stack.notes,
  };
}

/** Chooses the ports of the gateway and the servers, unless the environment does, and notes them for every other command. */
async function chooseListeners(home: string, env: NodeJS.ProcessEnv, names: readonly ProcessName[], running: ReadonlySet<string>): Promise<Record<string, string>> {
  const layout = homeLayout(home);
  const stack = await loadStackFile(layout.stackFile);
  const urls: Record<string, string> = {};
  for (const { program, variable, preferred } of Object.values(listeners)) {
    if (!names.includes(program)) continue;
    const given = env[`${variable}_PORT`] ?? '';
    const { port } = given === '' ? await assignPorts(stack, program, ['port'], { home, preferred: { port: preferred }, keep: running.has(program) }) : stack.ports[program] = { port: Number(given) };
    if (given === '') stack.env[`${variable}_PORT`] = String(port);
    urls[program] = env[`${variable}_URL`] ?? `${env[`PERENNIAL_${program === 'gateway' ? 'GATEWAY' : 'SERVER'}_TLS_CERT`] ? 'https' : 'http'}://${loopback}:${port}`;
  }
  await saveStackFile(layout.stackFile, stack);
  return urls;
}

function processProgram(name: ProcessName, home: string, env: NodeJS.ProcessEnv, url: string | undefined): Program {
  const spec: ProcessSpec = processes[name];
  const root = packageRoot();
  const entry = join(root, 'dist', spec.entry);
  const inherited = Object.fromEntries(Object.entries(env).filter((entryOf): entryOf is [string, string] => entryOf[1] !== undefined));
  return {
    name,
    stage: spec.stage,
    kind: name === 'migrate' ? 'one-shot' : 'service',
    command: process.execPath,
    args: [`--max-old-space-size=${spec.heapMb}`, ...(spec.nodeArguments ?? []), '--enable-source-maps', entry, ...spec.args],
    env: { ...inherited, PERENNIAL_HOME: home, NODE_ENV: env['NODE_ENV'] ?? 'production', MALLOC_ARENA_MAX: env['MALLOC_ARENA_MAX'] ?? '2' },
    cwd: root,
    version: [entry, join(root, 'dist', '.tsbuildinfo')].map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)).join('/'),
    prepare: async () => {
      if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\``);
    },
    readiness: name === 'migrate' ? { kind: 'exit' } : { kind: 'message' },
    readyTimeoutMs: 2 * minute,
    stopSignal: 'SIGTERM',
    graceMs: spec.graceMs,
    ...(url === undefined ? {} : { url }),
  };
}
