import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ExplanationParameters } from '../../contract/explanation.js';
import { RowTrigger } from '../../contract/guarded.js';
import { RunError } from '../../contract/run.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import { explanationText } from '../explanation.js';
import { triggerText } from '../guardrail-text.js';
import { pixelsOf } from '../picture.js';
import type { Register } from '../register.js';
import { findServer } from '../server.js';
import { figure, table } from '../table.js';

const Metadata = z.object({ inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()), parameters: z.object({ nullable: z.boolean().optional() }).optional() })), parameters: z.object({ version: z.int(), classes: z.array(z.string()).optional(), target: z.string().optional(), lookups: z.array(z.object({ keys: z.array(z.object({ name: z.string(), datatype: z.string() })), columns: z.array(z.string()) })).optional() }) });
type Metadata = z.infer<typeof Metadata>;
const Prediction = z.object({
  model_version: z.string(), id: z.string(), parameters: z.object({ prediction_ids: z.array(z.string()), arm: z.string(), generation: z.int(), guardrails: z.array(RowTrigger).default([]), explanation: ExplanationParameters.optional() }),
  outputs: z.array(z.object({ name: z.string(), shape: z.array(z.int()), data: z.array(z.union([z.number(), z.string()])) })),
});
const Labelled = z.object({ accepted: z.int(), waiting: z.array(z.string()), changed: z.int() });
const Score = z.object({ job: z.string(), status: z.string(), error: RunError.nullable(), score: z.object({ partitions: z.int(), rows: z.int(), outputPrefix: z.string(), completed: z.array(z.unknown()) }).nullable() });

export const addPredictCommands: Register = (add, program) => {
  add<[string], { image?: string; row?: string; environment: string; attribute?: string[]; explain?: boolean }>(program, 'predict <model>', 'ask the live version',
    (command) => command.option('--image <file>', 'a PNG, JPEG or WebP, of the size that the model takes where it does not resize').option('--row <file>', 'a JSON file: an object of columns, or an array of them').option('--environment <name>', 'where', 'production').option('--attribute <name=value...>', 'attributes of the request, for example light=night').option('--explain', 'what speaks for the answer, by column; of a picture in --json'),
    async (context, { image, row, environment, attribute, explain = false }, model) => {
      if ((image === undefined) === (row === undefined)) throw new UsageError('give --image FILE or --row FILE, one of them');
      const server = await findServer(context, environment, model);
      const path = `/v2/models/${encodeURIComponent(model)}`;
      const metadata = await server.get(Metadata, path);
      const inputs = image === undefined ? await columns(resolve(context.io.cwd, row ?? ''), metadata) : await picture(resolve(context.io.cwd, image), metadata);
      const answer = await server.post(Prediction, `${path}/infer`, { parameters: { ...attributesOf(attribute ?? []), ...(explain ? { explain } : {}) }, inputs });
      context.answer(answer, () => predictionText(answer, model, metadata));
      return 0;
    });

  add<[string, string], { environment: string; model?: string; request?: boolean }>(program, 'label <prediction> <label>', 'say what a prediction should have been',
    (command) => command.option('--environment <name>', 'where it was predicted', 'production').option('--model <name>', 'needed where the environment serves several').option('--request', 'the first argument is the caller\'s own request id'),
    async (context, { environment, model, request = false }, id, label) => {
      const server = await findServer(context, environment, model ?? null);
      const answer = await server.post(Labelled, '/v1/labels', { labels: [{ ...(request ? { request: id } : { prediction: id }), label, ...(model === undefined ? {} : { model }) }] });
      context.answer(answer, () => (answer.waiting.length > 0 ? 'kept: it is joined when the prediction arrives in PostgreSQL' : 'kept'));
      return 0;
    });

  add<[string], { input: string; version?: string; environment: string; wait?: boolean }>(program, 'score <model>', 'score a file of rows',
    (command) => command.requiredOption('--input <file>', 'an absolute file, or s3://bucket/key').option('--version <number>', 'with this version (the live one unless given)').option('--environment <name>', 'whose live version', 'production').option('--wait', 'until it is done'),
    async (context, { input, version, environment, wait = false }, model) => {
      const { job } = await context.api.post(z.object({ job: z.string() }), `/models/${encodeURIComponent(model)}/score`, { input: /^[a-z0-9]+:\/\//.test(input) ? input : resolve(context.io.cwd, input), environment, id: randomUUID(), ...(version === undefined ? {} : { version: Number(version) }) });
      const score = wait ? await waitForScore(context, model, job) : await context.api.get(Score, `/scores/${job}`, { model });
      context.answer({ ...score, job }, () => (score.status === 'done' ? `done: ${score.score?.rows ?? 0} rows in ${score.score?.outputPrefix ?? ''}` : `job ${job} is ${score.status === 'unknown' ? 'starting' : score.status}`));
      return 0;
    });
};

async function waitForScore(context: Context, model: string, job: string): Promise<z.infer<typeof Score>> {
  let told = -1;
  for (;;) {
    const score = await context.api.get(Score, `/scores/${job}`, { model });
    if (score.status === 'done') return score;
    if (score.error) throw new CommandError(score.error.code, score.error.message, score.error.next);
    const done = score.score?.completed.length ?? 0;
    if (done !== told) context.note(`${done} of ${score.score?.partitions ?? '?'} partitions`);
    told = done;
    await sleep(1_000);
  }
}

async function picture(file: string, { inputs }: Metadata): Promise<unknown[]> {
  const [input] = inputs;
  const [, height, width, channels] = input?.shape ?? [];
  if (!input || inputs.length !== 1 || height === undefined || width === undefined || channels === undefined) throw new CommandError('request/invalid', 'the model takes columns, not a picture', 'Use --row FILE.');
  try {
    const { shape, pixels } = await pixelsOf(await readFile(file), { height, width, channels });
    return [{ name: input.name, datatype: 'UINT8', shape: [1, ...shape], data: pixels }];
  } catch (error) {
    throw new CommandError('request/invalid', `${file}: ${error instanceof Error ? error.message : String(error)}`, 'Give a PNG, JPEG or WebP of the size that the model takes.');
  }
}

async function columns(file: string, { inputs, parameters: { lookups = [] } }: Metadata): Promise<unknown[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new CommandError('request/invalid', `${file}: ${error instanceof Error ? error.message : String(error)}`, 'Give a JSON file with an object of columns.');
  }
  const rows = z.array(z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]))).min(1).safeParse(Array.isArray(value) ? value : [value]);
  if (!rows.success) throw new CommandError('request/invalid', `${file}: ${z.prettifyError(rows.error)}`, 'Every row is an object of columns with numbers, texts, true, false or null.');
  // Columns of a feature view are looked up where the rows hold its key instead.
  const left = lookups.filter(({ keys, columns: given }) => rows.data.every((one) => keys.every(({ name }) => one[name] !== undefined) && given.every((name) => one[name] === undefined)));
  const leftOut = new Set(left.flatMap((one) => one.columns));
  const keys = left.flatMap((one) => one.keys).filter(({ name }, index, all) => !inputs.some((input) => input.name === name) && all.findIndex((other) => other.name === name) === index);
  return [...inputs.filter(({ name }) => !leftOut.has(name)), ...keys.map((key) => ({ ...key, parameters: { nullable: false } }))].map((input) => ({
    name: input.name, datatype: input.datatype, shape: [rows.data.length, 1],
    data: rows.data.map((one, index) => one[input.name] ?? (input.parameters?.nullable ? null : missing(file, input.name, index))),
  }));
}

function missing(file: string, column: string, index: number): never {
  throw new CommandError('request/invalid', `${file}: row ${index} has no column ${column}`, 'Give every column that the model takes.');
}

function attributesOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--attribute: name=value, found "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

function predictionText(answer: z.infer<typeof Prediction>, model: string, { parameters }: Metadata): string {
  return [answerTable(answer, parameters), ...answer.parameters.guardrails.map((trigger) => `row ${trigger.row}: ${triggerText(trigger)}`), ...explanationsOf(answer), `by ${model}@${answer.model_version} (${answer.parameters.arm}, generation ${answer.parameters.generation})`].join('\n');
}

/** What speaks for each row's answer, as the log would tell it. */
function explanationsOf({ outputs, parameters: { explanation } }: z.infer<typeof Prediction>): string[] {
  const found = outputs.find(({ name }) => name === 'explanation');
  if (!explanation || !found) return [];
  const { columns, method, baseline, steps = null, targets, outputs: figures, baseline_outputs: from, gaps } = explanation;
  const shape = found.shape.slice(1);
  return figures.map((output, row) => explanationText({
    method, baseline, steps, target: targets?.[row] ?? null, output, baselineOutput: from[row] ?? null, gap: gaps[row] ?? null, shape,
    attributions: columns ? Object.fromEntries(columns.map((name, column) => [name, Number(found.data[row * columns.length + column])])) : 'in the answer',
  }));
}

/** A line for each row: its class and the probabilities of all, or its value. */
function answerTable({ outputs, parameters: { prediction_ids: ids } }: z.infer<typeof Prediction>, { classes = [], target = 'value' }: Metadata['parameters']): string {
  const data = (name: string) => outputs.find((output) => output.name === name)?.data ?? [];
  const values = data('value');
  if (values.length > 0) return table(['PREDICTION', target.toUpperCase()], values.map((value, row) => [ids[row], String(value)]));
  const probabilities = data('probabilities');
  return table(['PREDICTION', 'CLASS', ...classes], data('class').map((name, row) => [ids[row], String(name), ...classes.map((_class, column) => figure(Number(probabilities[row * classes.length + column])))]));
}
