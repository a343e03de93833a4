import { z } from 'zod';
import { ExplainMethod, NamedBaseline, type ExplainTask } from '../../contract/explanation.js';
import type { Signature } from '../../contract/package.js';
import { cellReaderOf } from '../../domain/signature-cells.js';
import { ServingError } from '../errors.js';

/** Rows of a request that is explained. */
export const EXPLAINED_ROWS = 16;
/** Most points on a path, or orders of columns. */
const MOST_STEPS = 512;

const ExplainOptions = z.strictObject({
  method: ExplainMethod.optional().describe('left out: what suits the model'),
  target: z.string().optional().describe('a class; left out: the one that is predicted'),
  steps: z.int().min(1).max(MOST_STEPS).optional().describe('points of integrated gradients, or orders of Shapley values'),
  patch: z.int().min(1).optional().describe('side of the occluded patches of a picture, in pixels'),
  baseline: z.union([NamedBaseline, z.record(z.string(), z.unknown())], `one of ${NamedBaseline.options.join(', ')}, or values of columns by name`).optional()
    .describe('what is compared with: `median` or `zeros` of a table, or values of columns that differ from the median row; `black` or `mean` of a picture'),
});

/** The parameter `explain` of a request. */
export const Explain = z.union([z.boolean(), ExplainOptions], 'true, or an object with any of method, target, steps, patch and baseline');
export type Explain = z.infer<typeof Explain>;

const unfit = (message: string): never => { throw new ServingError(422, `Parameter "explain": ${message}`); };

/** What a runner is asked to explain; null where nothing is. 422 where the model's signature does not go with it. */
export function explainTaskOf(explain: Explain | undefined, signature: Signature): ExplainTask | null {
  if (explain === undefined || explain === false) return null;
  const { method = null, target, steps = null, patch = null, baseline } = explain === true ? {} : explain;
  const isPicture = signature.inputs.length === 1 && signature.inputs[0]?.shape.length === 3;
  if (isPicture && method === 'shapley') unfit('Shapley values are of columns; a picture is explained by integrated-gradients or occlusion.');
  if (steps !== null && method === 'occlusion') unfit('occlusion has no steps.');
  if (patch !== null && !(isPicture && method === 'occlusion')) unfit('patches are of pictures that are explained by occlusion.');
  return { method, target: targetOf(target, signature), steps, patch, baseline: baselineOf(baseline, signature, isPicture) };
}

function targetOf(target: string | undefined, signature: Signature): number | null {
  if (target === undefined) return null;
  if (signature.task === 'regression') return unfit('the model gives a number, so there is no target to choose.');
  const place = signature.classes.indexOf(target);
  return place >= 0 ? place : unfit(`there is no class ${JSON.stringify(target.slice(0, 80))}. The model knows: ${signature.classes.slice(0, 20).join(', ')}.`);
}

function baselineOf(baseline: z.infer<typeof ExplainOptions>['baseline'], { inputs }: Signature, isPicture: boolean): ExplainTask['baseline'] {
  if (baseline === undefined) return null;
  if (typeof baseline === 'string') {
    const known: readonly string[] = isPicture ? ['black', 'mean'] : ['median', 'zeros'];
    return known.includes(baseline) ? baseline : unfit(`the baseline of ${isPicture ? 'a picture' : 'a table'} is ${known.join(' or ')}${isPicture ? '' : ', or values of columns'}, not ${baseline}.`);
  }
  if (isPicture) return unfit('the baseline of a picture is black or mean.');
  return Object.entries(baseline).map(([name, value]) => {
    const place = inputs.findIndex((input) => input.name === name);
    const input = inputs[place];
    if (!input) return unfit(`the baseline names ${JSON.stringify(name.slice(0, 80))}, which is no column of the model.`);
    if (input.personal) return unfit(`the values of ${name} are replaced by pseudonyms, so the baseline cannot give one.`);
    const read = cellReaderOf(input)(value);
    return 'problem' in read ? unfit(`baseline "${name}": the value ${read.problem}.`) : [place, read.cell];
  });
}
