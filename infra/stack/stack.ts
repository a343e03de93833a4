import { join } from 'node:path';
import { givenInEnvironment, variableGroups } from '../config/variables.js';
import { ensureHome, type HomeLayout } from './home.js';
import { assignPorts, loopback } from './ports.js';
import { postgresPorts, postgresProgram, postgresUrl } from './postgres.js';
import { isReachableByOthers, postgresUser, reachablePrograms, setAside, sharedDataFolder } from './postgres-user.js';
import type { Program } from './program.js';
import { s3Bucket, s3PortCompanions, s3Ports, s3Program, s3Region } from './s3.js';
import { ensureSecret, hasSecret } from './secrets.js';
import { smtpPorts, smtpProgram } from './smtp.js';
import { loadStackFile, saveStackFile, type StackFile } from './state.js';
import { temporalNamespace, temporalPorts, temporalProgram, type SearchAttributeType } from './temporal.js';

export const stackParts = ['postgres', 's3', 'temporal', 'smtp'] as const;
export type StackPart = (typeof stackParts)[number];

/** Executables of the parts, as `loadNativeParts()` gives them. */
export interface StackExecutables {
  temporal: string;
  weed: string;
  postgres: { bin: string; version: string };
}

export interface StackOptions {
  home: string;
  /** parts wanted; one whose address the environment gives is left out */
  parts?: readonly StackPart[];
  env: NodeJS.ProcessEnv;
  /** asked only where a part of these is started here: with addresses for all, nothing has to be installed */
  executables: () => StackExecutables;
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  /** names of programs that still run from before and keep their ports */
  running?: ReadonlySet<string>;
  durable?: boolean;
}

export interface StackPlan {
  programs: Program[];
  /** variables (`DATABASE_URL`, …) by which the parts are reached */
  env: Record<string, string>;
  /** things worth a line in the log */
  notes: string[];
}

/**
 * Chooses ports, makes secrets and folders, notes both in `stack.json`, and says which programs to run.
 * Safe to repeat: what was chosen stays, except a port that something else listens on by now.
 */
export async function planStack(options: StackOptions): Promise<StackPlan> {
  const layout = await ensureHome(options.home);
  const stack = await loadStackFile(layout.stackFile);
  const plan: StackPlan = { programs: [], env: {}, notes: [] };
  for (const part of options.parts ?? stackParts) {
    stack.env = Object.fromEntries(Object.entries(stack.env).filter(([name]) => !variableGroups[part].others.test(name)));
    if (givenInEnvironment(part, options.env)) plan.notes.push(`${part}: an address is given in the environment, so none is started here`);
    else await planPart[part](options, layout, stack, plan);
  }
  stack.env = { ...stack.env, ...plan.env };
  await saveStackFile(layout.stackFile, stack);
  return plan;
}

type PlanPart = (options: StackOptions, layout: HomeLayout, stack: StackFile, plan: StackPlan) => Promise<void>;

const planPart: Record<StackPart, PlanPart> = {
  postgres: async ({ home, executables, running, durable = true }, layout, stack, plan) => {
    const ports = await assignPorts(stack, 'postgres', postgresPorts, { home, keep: running?.has('postgres') ?? false });
    const user = await postgresUser();
    const inHome = join(layout.dataDir, 'postgres', 'data');
    const dataDir = stack.postgresDataDir ?? (user === undefined || (await isReachableByOthers(inHome)) ? inHome : join(sharedDataFolder(home), 'postgres'));
    // A state folder that was removed took the password along, but not what lies outside of it. First this, then a new password.
    if (stack.postgresDataDir === undefined && dataDir !== inHome && !(await hasSecret(layout.secretsDir, 'postgres-password'))) {
      const aside = await setAside(dataDir);
      if (aside !== null) plan.notes.push(`postgres: files of a former state folder at this place, whose password is gone with it, are now in ${aside}; remove them if nobody needs them`);
    }
    const password = await ensureSecret(layout.secretsDir, 'postgres-password');
    if (user !== undefined) plan.notes.push(`postgres: root may not run it, so it runs as user ${user.name}, its files in ${dataDir}`);
    const bin = await reachablePrograms(executables().postgres.bin, executables().postgres.version, user);
    stack.postgresDataDir = dataDir;
    plan.programs.push(postgresProgram({ bin, dataDir, user, port: ports.postgres, password, durable }));
    plan.env['DATABASE_URL'] = postgresUrl(ports.postgres, password);
  },
  s3: async ({ home, executables, running }, layout, stack, plan) => {
    const ports = await assignPorts(stack, 's3', s3Ports, { home, companions: s3PortCompanions, keep: running?.has('s3') ?? false });
    const accessKeyId = await ensureSecret(layout.secretsDir, 's3-access-key-id', 10);
    const secretAccessKey = await ensureSecret(layout.secretsDir, 's3-secret-access-key');
    const internalKey = await ensureSecret(layout.secretsDir, 's3-internal-key');
    plan.programs.push(s3Program({ executable: executables().weed, dataDir: join(layout.dataDir, 's3'), ports, accessKeyId, secretAccessKey, internalKey }));
    Object.assign(plan.env, {
      S3_ENDPOINT: `http://${loopback}:${ports.s3}`, S3_BUCKET: s3Bucket, S3_FORCE_PATH_STYLE: 'true',
      AWS_REGION: s3Region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
  },
  temporal: async ({ home, executables, running, searchAttributes, durable = true }, layout, stack, plan) => {
    const ports = await assignPorts(stack, 'temporal', temporalPorts, { home, keep: running?.has('temporal') ?? false });
    const dataDir = join(layout.dataDir, 'temporal');
    plan.programs.push(temporalProgram({ executable: executables().temporal, dataDir, ports, durable, ...(searchAttributes === undefined ? {} : { searchAttributes }) }));
    Object.assign(plan.env, { TEMPORAL_ADDRESS: `${loopback}:${ports.grpc}`, TEMPORAL_NAMESPACE: temporalNamespace });
  },
  smtp: async ({ home, running }, layout, stack, plan) => {
    const ports = await assignPorts(stack, 'smtp', smtpPorts, { home, keep: running?.has('smtp') ?? false });
    plan.programs.push(smtpProgram({ mailDir: layout.mailDir, port: ports.smtp }));
    plan.env['SMTP_URL'] = `smtp://${loopback}:${ports.smtp}`;
  },
};
