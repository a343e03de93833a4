import { join } from 'node:path';
import type { z } from 'zod';
import { PerennialError } from '../../contract/errors.js';
import type { ChildFrame, ChildFrameOf } from '../../contract/frames.js';
import { VIEW_MARK } from '../../definition/define.js';
import { FeatureView } from '../../definition/feature-view.js';
import { ModelDefinition } from '../../definition/model.js';
import { endError, reportedError } from '../child/failure.js';
import { startChild } from '../child/start.js';
import { bundleDefinition, bundleModule } from './bundle.js';
import type { Bundle, ModuleAddress } from './bundle.js';
import { policyDigest, trainingDigest, viewDigest } from './digests.js';
import { describeIssues } from './issues.js';
import { EMPTY_MAP, teamStack } from './team-stack.js';

export interface ReadDefinition {
  readonly definition: ModelDefinition;
  readonly trainingDigest: string;
  readonly policyDigest: string;
  /** The file's path in the checkout, and its bundle: what the package keeps as the team's code. */
  readonly file: string;
  readonly bundle: Bundle;
  /** The bundled `network.module`, or null where the definition lists layers. */
  readonly networkBundle: Bundle | null;
}

/** A feature view; `digest` is over what decides the rows that are stored of it. */
export interface ReadView { readonly view: FeatureView; readonly digest: string; readonly file: string; readonly bundle: Bundle }

export interface ReadDefinitionsOptions extends ModuleAddress {
  readonly limits?: Partial<LoadLimits>;
  readonly signal?: AbortSignal;
}

/** Loading is short, but a busy machine makes it wait: what a definition may use is processor time, and all of it within a minute. */
export interface LoadLimits { readonly processorMs: number; readonly timeoutMs: number; readonly memoryMb: number }
const LIMITS: LoadLimits = { processorMs: 10_000, timeoutMs: 60_000, memoryMb: 512 };

const CODES = { memory: 'definition/threw', timeout: 'definition/timeout', crashed: 'definition/threw' } as const;

/**
 * Reads the models and feature views that a file exports (usually one), in the order of their names. The file is bundled, loaded in a
 * child process, and what it exports is parsed here.
 * Errors: `definition/threw` (with the first lines of the team's stack; also too much memory), `definition/timeout`,
 * `definition/missing` (nothing exported) and `definition/invalid` (each issue with path, expected, found).
 */
export async function readDefinitionFile({ checkout, file, limits, signal }: ReadDefinitionsOptions): Promise<{ models: ReadDefinition[]; views: ReadView[] }> {
  signal?.throwIfAborted();
  const bundle = await bundleDefinition({ checkout, file });
  const exported = await loadInChild(bundle, file, { ...LIMITS, ...limits }, signal);
  if (exported.length === 0) throw new PerennialError('definition/missing', `${file} exports nothing that defineModel(…) or defineFeatureView(…) made`, { file });
  const models = parsed(exported.filter(({ value }) => !isView(value)), ModelDefinition, file, 'definitions');
  const views = parsed(exported.filter(({ value }) => isView(value)), FeatureView, file, 'feature views');
  return {
    models: await Promise.all(models.map(async (definition): Promise<ReadDefinition> => {
      const networkBundle = 'module' in definition.network ? await bundleModule({ checkout, file, module: definition.network.module }) : null;
      return { definition, file, bundle, networkBundle, trainingDigest: trainingDigest(definition, networkBundle?.code ?? null), policyDigest: policyDigest(definition) };
    })),
    views: views.map((view) => ({ view, digest: viewDigest(view), file, bundle })),
  };
}

/** The models of {@link readDefinitionFile}: none, where the file exports feature views only. */
export async function readDefinitions(options: ReadDefinitionsOptions): Promise<ReadDefinition[]> {
  return (await readDefinitionFile(options)).models;
}

/** A definition's bundle as it is stored: the code alone, without the checkout that it came from. */
export interface StoredDefinitionCode { readonly code: Uint8Array; readonly networkCode: Uint8Array | null; readonly model: string; readonly file: string; readonly signal?: AbortSignal }

/**
 * Reads a model's definition from its stored bundle, as this release understands it, with the training digest that it has now.
 * Errors: those of {@link readDefinitions}.
 */
export async function readStoredDefinition({ code, networkCode, model, file, signal }: StoredDefinitionCode): Promise<Pick<ReadDefinition, 'definition' | 'trainingDigest'>> {
  const exported = await loadInChild({ code, sourceMap: EMPTY_MAP }, file, LIMITS, signal);
  const definition = exported.filter(({ value }) => !isView(value)).map(({ export: name, value }) => parse(value, ModelDefinition, file, name)).find(({ name }) => name === model);
  if (!definition) throw new PerennialError('definition/missing', `the stored bundle of ${file} exports no definition of ${model}`, { file, model });
  return { definition, trainingDigest: trainingDigest(definition, networkCode) };
}

async function loadInChild(bundle: Bundle, file: string, limits: LoadLimits, signal: AbortSignal | undefined): Promise<ChildFrameOf<'definitions'>['definitions']> {
  let answer: ChildFrame | null = null;
  // A source map makes a stack name the team's own files and lines.
  const code = Buffer.concat([bundle.code, Buffer.from('\n//# sourceMappingURL=definition.mjs.map\n')]);
  const child = startChild({
    program: 'read-definition', ...limits, signal, nodeArguments: ['--enable-source-maps'], files: { 'definition.mjs': code, 'definition.mjs.map': bundle.sourceMap }, onFrame: (frame) => { answer ??= frame; },
  });
  child.start({ program: 'read-definition', module: join(child.home, 'definition.mjs') });
  const end = await child.end;
  const frame = answer as ChildFrame | null;
  if (frame?.kind === 'definitions') return frame.definitions;
  if (frame?.kind !== 'failed') throw endError(end, child.output(), `loading ${file}`, CODES, signal);
  const error = reportedError(frame, 'definition/threw');
  const stack = typeof frame.details['stack'] === 'string' ? teamStack(frame.details['stack'], child.home) : null;
  throw new PerennialError(error.code, `${file}: ${stack ?? error.message}`, { ...error.details, file, ...(stack === null ? {} : { stack }) });
}

type Exported = ChildFrameOf<'definitions'>['definitions'];

const isView = (value: unknown): boolean => typeof value === 'object' && value !== null && (value as { $type?: unknown }).$type === VIEW_MARK;

/** In the order of their names, each of which is there once. */
function parsed<T extends { name: string }>(exported: Exported, schema: z.ZodType<T>, file: string, what: string): T[] {
  const found = exported.map(({ export: name, value }) => parse(value, schema, file, name));
  const twice = found.find(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice) throw new PerennialError('definition/invalid', `${file}: two ${what} have the name '${twice.name}'`, { file });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parse<T>(value: unknown, schema: z.ZodType<T>, file: string, name: string): T {
  const { $type: _mark, ...fields } = value as Record<string, unknown>;
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const issues = describeIssues(result.error.issues, fields, schema);
  throw new PerennialError('definition/invalid', `${file} (export '${name}'):\n${issues.map((issue) => `  ${issue}`).join('\n')}`, { file, issues });
}
