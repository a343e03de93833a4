import type { JoinedView } from '../../contract/joined-view.js';
import type { Signature } from '../../contract/package.js';
import type { Cell } from '../../domain/cells.js';
import { cellOf, describeColumn } from '../../domain/cells.js';
import { entityHash, isStale } from '../../domain/feature-rows.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import { formatDuration, parseDuration } from '../../domain/times.js';
import type { FeatureRowsStore, Upkeep } from '../../stores/feature-rows.js';
import { ServingError, tooManyRows } from '../errors.js';
import type { InferenceInput, InferenceRequest } from '../protocol/request.js';
import { elementsOf, printed, valuesOf } from '../protocol/tensor.js';

export interface FeatureLookupOptions {
  readonly rows: Pick<FeatureRowsStore, 'find' | 'upkeep'>;
  /** How long a request waits for PostgreSQL. */
  readonly timeoutMs: number;
  readonly onLookup: (view: string, outcome: 'fresh' | 'stale' | 'refused' | 'unavailable') => void;
  readonly now?: () => number;
}

/** `stale`: views whose values are missing because they were not up to date. */
export interface Filled { readonly request: InferenceRequest; readonly stale: readonly string[] }

/** Since when a view is up to date changes with a materialisation only, and only for the better. */
const UPKEEP_MS = 1_000;

/**
 * Fills in what a request leaves out: the columns of a feature view, where it gives the view's key instead. The values are those of the
 * newest row of each key, and missing where there is none, or it is older than the time for which values hold: as in training.
 * Errors: 422 where neither columns nor key are given, or a value that the model needs is not known; 503 where the view is not up to date
 * (`features/stale`) or PostgreSQL does not answer in time (`features/unavailable`).
 */
export function createFeatureLookup({ rows, timeoutMs, onLookup, now = Date.now }: FeatureLookupOptions) {
  const seen = new Map<string, { readonly at: number; readonly upkeep: Upkeep | null }>();

  return async (request: InferenceRequest, signature: Signature, maximumRows: number): Promise<Filled> => {
    const wanted = (signature.lookups ?? []).filter(({ columns }) => !columns.some(({ input }) => request.inputs.some(({ name }) => name === input)));
    if (wanted.length === 0) return { request, stale: [] };
    const looked = await Promise.all(wanted.map((lookup) => lookUp(request, lookup, signature, maximumRows)));
    const taken = new Set(signature.inputs.map(({ name }) => name));
    const keys = new Set(wanted.flatMap((lookup) => lookup.keys.map(({ input }) => input)));
    const own = request.inputs.filter(({ name }) => taken.has(name) || !keys.has(name));
    return { request: { ...request, inputs: [...own, ...looked.flatMap(({ inputs }) => inputs)] }, stale: looked.flatMap(({ stale, view }) => (stale ? [view] : [])) };
  };

  async function lookUp(request: InferenceRequest, lookup: JoinedView, signature: Signature, maximumRows: number): Promise<{ view: string; stale: boolean; inputs: InferenceInput[] }> {
    const { view, digest, ttlMs, columns } = lookup;
    const keys = keysOf(request, lookup, maximumRows);
    const at = now();
    const since = new Date(at - ttlMs).toISOString();
    const hashes = keys.map(entityHash);
    const [upkeep, found] = await within(() => Promise.all([upkeepOf(view, digest, at), rows.find(view, digest, [...new Set(hashes)], since)]), view);
    const stale = !upkeep || isStale(upkeep, at);
    if (stale && upkeep?.whenStale !== 'null') {
      onLookup(view, 'refused');
      throw new ServingError(503, `features/stale: the view ${view} is as of ${upkeep?.asOf ?? 'no time yet'}, and may be ${formatDuration(parseDuration(upkeep?.freshness ?? '0s'))} old at most.`, { retryAfter: 5 });
    }
    onLookup(view, stale ? 'stale' : 'fresh');
    const cells = new Map(stale ? [] : found.map((row) => [row.entity, JSON.parse(row.cells) as Cell[]]));
    const inputs = columns.map(({ input, place }): InferenceInput => {
      const column = signature.inputs.find(({ name }) => name === input);
      const data = hashes.map((hash, row) => {
        const value = cells.get(hash)?.[place] ?? null;
        if (value === null && column?.nullable !== true) throw new ServingError(422, `Nothing is known of ${input} (view ${view}) for ${keyText(lookup, keys[row] ?? [])}, and the model needs it.`);
        return value;
      });
      return { name: input, shape: [data.length], datatype: DATATYPES[column?.type ?? 'number'], data };
    });
    return { view, stale, inputs };
  }

  async function upkeepOf(view: string, digest: string, at: number): Promise<Upkeep | null> {
    const name = `${view}/${digest}`;
    const known = seen.get(name);
    if (known && at - known.at < UPKEEP_MS) return known.upkeep;
    const upkeep = await rows.upkeep(view, digest);
    seen.set(name, { at, upkeep });
    return upkeep;
  }

  async function within<T>(work: () => Promise<T>, view: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => { timer = setTimeout(() => { reject(new Error(`no answer within ${timeoutMs} ms`)); }, timeoutMs); });
    const asked = work();
    asked.catch(() => undefined); // its answer may come after the time is up
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      onLookup(view, 'unavailable');
      throw new ServingError(503, `features/unavailable: the features of the view ${view} cannot be looked up now.`, { retryAfter: 1, cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
export type FeatureLookup = ReturnType<typeof createFeatureLookup>;

/** The key of each row. */
function keysOf(request: InferenceRequest, { view, keys, columns }: JoinedView, maximumRows: number): Cell[][] {
  const inputs = keys.map((key) => ({ ...key, given: request.inputs.filter(({ name }) => name === key.input) }));
  const lacking = inputs.filter(({ given }) => given.length === 0).map(({ input }) => input);
  if (lacking.length > 0) throw new ServingError(422, `Missing input: ${columns.slice(0, 5).map(({ input }) => input).join(', ')}; or ${lacking.join(', ')}, by which the view ${view} is looked up.`);
  const count = request.inputs[0]?.shape[0] ?? 0;
  if (count > maximumRows) throw tooManyRows(count, maximumRows);
  const values = inputs.map(({ input, type, given: [tensor, ...more] }) => {
    if (!tensor || more.length > 0) throw new ServingError(422, `Input "${input}" is given twice.`);
    if (tensor.shape[0] !== count || elementsOf(tensor.shape) !== count) throw new ServingError(422, `Input "${input}" has shape [${tensor.shape.join(', ')}]; every column takes [${count}] or [${count}, 1] in this request.`);
    const column = { name: input, type, nullable: false };
    return valuesOf(tensor).map((value, row) => {
      const cell = cellOf(column, value);
      if (cell === undefined) throw new ServingError(422, `Input "${input}", value ${row}: ${printed(value)} is not ${describeColumn(column)}.`);
      return cell;
    });
  });
  return Array.from({ length: count }, (_, row) => values.map((column) => column[row] ?? null));
}

function keyText({ keys }: JoinedView, cells: readonly Cell[]): string {
  return keys.map(({ input }, index) => `${input} ${printed(cells[index])}`).join(', ');
}
