import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { exampleTablesFolder } from '../../../infra/setup/example-tables.mjs';
import type { RunningHome } from './running-home.js';

const Status = z.object({ programs: z.array(z.object({ name: z.string(), url: z.string().optional() })) });
const Answer = z.object({ parameters: z.object({ prediction_ids: z.array(z.string()) }), outputs: z.array(z.object({ name: z.string(), datatype: z.string(), data: z.array(z.union([z.number(), z.string()])) })) });

export type TableRow = Readonly<Record<string, string | number | null>>;
export interface Column { readonly name: string; readonly datatype: 'FP64' | 'BYTES' }
export interface Asked { readonly ids: readonly string[]; readonly output: (name: string) => readonly (string | number)[] }

/** Rows of one of the examples' tables, in their order; numbers are numbers. */
export async function exampleRows(sql: string): Promise<TableRow[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`set file_search_path = '${exampleTablesFolder()}'`);
  const rows = await connection.runAndReadAll(sql);
  const values = rows.getRowObjectsJS().map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]))) as TableRow[];
  connection.closeSync();
  instance.closeSync();
  return values;
}

/** An application that asks by raw columns, and says later what was true. */
export async function createCaller({ world, home }: RunningHome, model: string) {
  const { programs } = Status.parse(JSON.parse(await world.perennial('status', '--json')));
  const server = programs.find(({ name }) => name === 'server-production')?.url ?? '';
  const token = (await readFile(join(home, 'secrets', 'server-token'), 'utf8')).trim();
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${server}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
  return {
    async ask(columns: readonly Column[], rows: readonly TableRow[], parameters: Readonly<Record<string, string>> = {}): Promise<Asked> {
      const inputs = columns.map(({ name, datatype }) => ({ name, datatype, shape: [rows.length], data: rows.map((row) => row[name] ?? null) }));
      const answer = Answer.parse(await post(`/v2/models/${model}/infer`, { inputs, parameters }));
      return { ids: answer.parameters.prediction_ids, output: (name) => answer.outputs.find((output) => output.name === name)?.data ?? [] };
    },
    label: (labels: readonly { readonly prediction: string; readonly label: string | number }[]) => post('/v1/labels', { labels: labels.map((label) => ({ ...label, model })) }),
  };
}
