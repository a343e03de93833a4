import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Ref } from '../../../contract/ref.js';
import { createArtifacts } from '../../../stores/artifacts.js';
import { commandLine } from '../support/command-line.js';
import type { RunningHome } from '../support/running-home.js';
import { tinyModel, type Team } from '../support/team.js';

const Scored = z.object({ status: z.literal('done'), job: z.string(), score: z.object({ rows: z.int(), outputPrefix: z.string(), completed: z.array(z.object({ output: Ref })) }) });
const Tried = z.object({ attempts: z.array(z.object({ model: z.string(), rows: z.int(), trained: z.object({ evaluation: z.object({ overall: z.object({ n: z.int() }) }), gates: z.array(z.object({ gate: z.string() })) }) })) });
const Predicted = z.object({ outputs: z.array(z.object({ name: z.string(), data: z.array(z.unknown()) })) });

/** `perennial score`: the pictures of the test role, as a Parquet file of a team, against what the live version answers. */
export function testScore(home: () => RunningHome, { model, version, pictures }: { model: string; version: number; pictures: () => string }): void {
  test('a file is scored with the live version: one row with its prediction\'s id for each row of the input, in S3', { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-score-'));
    const artifacts = createArtifacts(home().config.s3);
    try {
      const input = join(folder, 'pictures.parquet');
      await query(`copy (select filename as id, content as image from read_blob('${pictures()}/test/*/*.png')) to '${input}' (format parquet)`);
      const inputs = await query<{ id: string }>(`select id from read_parquet('${input}') order by id`);
      expect(inputs.length).toBeGreaterThan(50);

      const { code, out, err } = await commandLine(home(), 'score', model, '--input', input, '--wait', '--json');
      expect(code, err).toBe(0);
      const { score, job } = Scored.parse(JSON.parse(out));
      expect(score.rows).toBe(inputs.length);
      expect(score.outputPrefix).toBe(`s3://${home().config.s3.bucket}/scores/${job}/`);

      const files = await Promise.all(score.completed.map(async ({ output }, index) => {
        expect(output.uri.startsWith(score.outputPrefix)).toBe(true);
        const file = join(folder, `${index}.parquet`);
        await artifacts.getToFile(output, file);
        return `'${file}'`;
      }));
      const rows = await query<{ prediction: string; key: string; row: number; class: string; version: number }>(
        `select prediction_id::varchar as prediction, key, row::int as row, class, version from read_parquet([${files.join(', ')}])`);
      expect(rows.map(({ key }) => key).sort()).toEqual(inputs.map(({ id }) => id).sort());
      expect(rows.map(({ row }) => row).sort((a, b) => a - b)).toEqual(inputs.map((_id, row) => row));
      expect(new Set(rows.map(({ prediction }) => prediction)).size).toBe(inputs.length);
      expect(new Set(rows.map((row) => row.version))).toEqual(new Set([version]));

      const [first] = rows;
      const { outputs } = Predicted.parse(JSON.parse(await home().world.perennial('predict', model, '--image', first?.key ?? '', '--json')));
      expect(outputs.find(({ name }) => name === 'class')?.data).toEqual([first?.class]);
    } finally {
      artifacts.close();
      await rm(folder, { recursive: true });
    }
  });
}

/** `perennial try` in a working tree with a definition that was never committed. */
export function testTry(home: () => RunningHome, team: () => Team): void {
  test('a working tree is tried on a sample, and nothing of it is registered or stored', { timeout: 240_000 }, async () => {
    const artifacts = createArtifacts(home().config.s3);
    const everything = async () => {
      const [rows] = await home().db.query<object>('select (select count(*) from models) as models, (select count(*) from runs) as runs, (select count(*) from versions) as versions, (select count(*) from snapshots) as snapshots, (select count(*) from ledger) as ledger');
      // The ledger's heads are anchored behind what was decided before.
      return { ...rows, objects: (await artifacts.list('')).filter((key) => !key.startsWith('ledger/')) };
    };
    try {
      const before = await everything();
      await writeFile(join(team().folder, 'tried.model.ts'), tinyModel('tried'));
      const { code, out, err } = await commandLine(home(), 'try', team().folder, '--rows', '40', '--json');
      expect(code, err).toBe(0);
      const { attempts } = Tried.parse(JSON.parse(out));
      expect(attempts.map((one) => one.model)).toContain('tried');
      for (const { trained } of attempts) {
        expect(trained.evaluation.overall.n).toBeGreaterThan(0);
        expect(trained.gates.map(({ gate }) => gate)).toEqual(['any']);
      }
      expect(await everything()).toEqual(before);
    } finally {
      artifacts.close();
    }
  });
}

async function query<T>(sql: string): Promise<T[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects() as T[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
