import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { v5 as uuidV5 } from 'uuid';
import { PerennialError } from '../../contract/errors.js';
import { NO_PICTURE, pictureKind } from '../../domain/picture-kind.js';
import { openPhoto } from '../../runtime/data/photo.js';
import { UnreadablePicture } from '../../runtime/data/unreadable-picture.js';
import { decodePictureFile } from '../../runtime/data/picture.js';
import { PredictionRefused } from '../../runtime/runner/start.js';
import type { Runner } from '../../runtime/runner/start.js';
import type { ActivityDeps } from '../deps.js';
import { identifier, literal, openDuck } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import { readJson } from '../../stores/json-objects.js';
import { requireVersion } from '../lookup.js';
import { fetchPackage } from '../package/fetch-package.js';
import type { Cell } from '../../domain/cells.js';
import { answersOf } from '../../domain/outputs.js';
import type { Answer, Outputs } from '../../domain/outputs.js';
import { cellReaderOf } from '../../domain/signature-cells.js';
import { pictureOf } from './input.js';
import { inputError } from './refusal.js';
import { partKey, ScoreInput, ScorePlanFile } from './plan-file.js';
import type { Runners } from './runners.js';

export interface PartitionRequest { readonly job: string; readonly partition: number }

/** Ids of predictions are named by job and row (UUID version 5, RFC 9562): scoring a row again gives its id again. */
const NAMESPACE = '6f1c1f8e-6f0b-5d0a-9d5e-3a9b7a2c41d0';
export const predictionId = (job: string, row: number): string => uuidV5(`${job}/${row}`, NAMESPACE);

const ROWS_AT_ONCE = 256;

/** Scores a partition, unless it is done. The file that is written first is the file, so two attempts at once leave one. */
export async function scorePartition(deps: ActivityDeps, runners: Runners, { job, partition }: PartitionRequest, signal: AbortSignal, onRows: (rows: number) => void): Promise<void> {
  const { stores, artifacts } = deps;
  const score = await stores.scores.get(job);
  if (!score) throw new PerennialError('score/input', `the job ${job} was never planned`, { job });
  if (score.completed.some((done) => done.partition === partition)) return;
  const plan = ScorePlanFile.parse(await readJson(artifacts, ScoreInput.parse(score.input).plan));
  const planned = plan.partitions[partition];
  if (!planned) throw new PerennialError('score/input', `the job ${job} has ${plan.partitions.length} partitions, there is no number ${partition}`, { job, partition });
  const directory = await fetchPackage(deps, await requireVersion(stores, score.model, score.version));
  await withWorkspace(deps.scratch, 'scores', async (folder) => {
    const file = join(folder, 'input.parquet');
    await artifacts.getToFile(planned.file, file);
    const output = join(folder, 'output.parquet');
    await runners.using(directory, (runner) => scoreFile({ runner, file, output, folder, job, version: score.version, input: plan.input, rows: planned.rows, signal, onRows }));
    const ref = await artifacts.putOnce(partKey(job, partition), await readFile(output));
    await stores.scores.completePartition({ job, partition, rows: planned.rows, output: ref });
  });
}

interface Scoring {
  readonly runner: Runner; readonly file: string; readonly output: string; readonly folder: string; readonly job: string; readonly version: number; readonly input: string; readonly rows: number;
  readonly signal: AbortSignal; readonly onRows: (rows: number) => void;
}

async function scoreFile(scoring: Scoring): Promise<void> {
  const { runner, file, output, folder, signal } = scoring;
  const duck = await openDuck(folder, signal);
  try {
    await duck.run('set threads = 1');
    const { table, answers } = columnsOf(runner);
    await duck.run(`create table scored (place bigint, prediction_id uuid, key varchar, ${table}, version integer)`);
    const inputs = runner.signature.inputs.map(({ name }) => identifier(name)).join(', ');
    // A partition is small enough to hold; another statement on the connection would end a stream.
    const rows = (await duck.connection.runAndReadAll(`select row, key, ${inputs} from read_parquet(${literal(file)}) order by row`)).getRows();
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      signal.throwIfAborted();
      const some = rows.slice(from, from + ROWS_AT_ONCE);
      await scoreRows(duck, scoring, some);
      scoring.onRows(some.length);
    }
    const [scored] = await duck.rows<{ n: bigint }>('select count(distinct place) as n from scored');
    if (Number(scored?.n ?? 0) !== scoring.rows) throw new Error(`${Number(scored?.n ?? 0)} rows of ${scoring.rows} were scored`);
    await duck.run(`copy (select prediction_id, key, place as row, ${answers}, version from scored order by place) to ${literal(output)} (format parquet, compression zstd)`);
  } finally {
    duck.close();
  }
}

/** The columns of the answers: as a table of DuckDB's has them, and as the output names them. */
function columnsOf({ signature }: Runner): { readonly table: string; readonly answers: string } {
  return signature.task === 'regression' ? { table: 'value double', answers: 'value' } : { table: 'class varchar, probabilities float[]', answers: 'class, probabilities' };
}

async function scoreRows(duck: Duck, { runner, job, version, input }: Scoring, rows: readonly (readonly unknown[])[]): Promise<void> {
  const answers = answersOf(runner.signature, await predict(runner, input, rows));
  const values = rows.map((row, index) => {
    const place = Number(row[0]);
    return `(${place}, '${predictionId(job, place)}', ${literal(String(row[1]))}, ${answerSql(answers[index])}, ${version})`;
  });
  await duck.run(`insert into scored values ${values.join(', ')}`);
}

/** As texts: a number with many digits is a decimal to DuckDB, and loses the last bit on its way to a float. */
function answerSql(answer: Answer | undefined): string {
  if (!answer) throw new RangeError('the runner gave fewer rows than it was asked for');
  if ('value' in answer) return `'${answer.value}'::double`;
  return `${literal(answer.class)}, [${answer.probabilities.map((value) => `'${value}'`).join(', ')}]::float[]`;
}

async function predict(runner: Runner, input: string, rows: readonly (readonly unknown[])[]): Promise<Outputs> {
  try {
    return await runner.predict({ rows: rows.length, input: pictureOf(runner.signature) ? await picturesOf(runner, input, rows) : cellsOf(runner, input, rows) });
  } catch (error) {
    if (error instanceof PredictionRefused) throw inputError(input, `rows ${String(rows[0]?.[0])} to ${String(rows.at(-1)?.[0])}: ${error.message}`, {}, error);
    throw error;
  }
}

/** The values of the columns, read as the server reads those of a request; booleans come as texts. */
function cellsOf({ signature }: Runner, input: string, rows: readonly (readonly unknown[])[]): Cell[][] {
  const readers = signature.inputs.map((column) => ({ column, read: cellReaderOf(column) }));
  return rows.map((row) => readers.map(({ column, read }, index): Cell => {
    const value = row[index + 2] ?? null;
    const found = read(column.type === 'boolean' && value !== null ? value === 'true' : value);
    if ('problem' in found) throw inputError(input, `the column ${column.name} in row ${String(row[0])} (${String(row[1])}): ${JSON.stringify(value)} ${found.problem}`, { column: column.name, row: Number(row[0]) });
    return found.cell;
  }));
}

/** Raw pixels of the rows, one after another; a value is a PNG, JPEG or WebP, or the raw pixels themselves. */
async function picturesOf(runner: Runner, input: string, rows: readonly (readonly unknown[])[]): Promise<Uint8Array> {
  const shape = pictureOf(runner.signature);
  if (!shape) throw new TypeError('the signature has no picture');
  const size = shape.height * shape.width * shape.channels;
  const pixels = new Uint8Array(rows.length * size);
  for (const [index, [row, key, value]] of rows.entries()) {
    const bytes = (value as { bytes: Uint8Array }).bytes;
    const isFile = await isPictureFile(bytes, size);
    if (!isFile && bytes.length !== size) throw inputError(input, `row ${String(row)} (${String(key)}) holds ${bytes.length} bytes: ${NO_PICTURE}, nor ${size} raw pixel values`, { row: Number(row) });
    try {
      pixels.set(isFile ? await decodePictureFile(bytes, shape, String(key)) : bytes, index * size);
    } catch (error) {
      throw inputError(input, `row ${String(row)}: ${error instanceof Error ? error.message : String(error)}`, { row: Number(row) }, error);
    }
  }
  return pixels;
}

/** Raw pixels of a bright picture may begin as a JPEG does; they have no header. */
async function isPictureFile(bytes: Uint8Array, rawSize: number): Promise<boolean> {
  const kind = pictureKind(bytes);
  if (kind === null || kind === 'png' || bytes.length !== rawSize) return kind !== null;
  return openPhoto(bytes).then(() => true, (error: unknown) => {
    if (error instanceof UnreadablePicture) return false;
    throw error;
  });
}
