import { typedColumns } from '../../definition/columns.js';
import type { GeneratedField } from '../../contract/frames.js';
import { generateInChild, GeneratorFailed } from '../../runtime/generate/host.js';
import { columnsOfViews } from '../features/join.js';
import { identifier, literal } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { NAMED_ROWS } from './findings.js';
import type { Check } from './findings.js';
import type { ListedSource } from './listing.js';
import { dividerOf } from './split-sql.js';
import { stageReading } from './stage-files.js';
import { stagedRows } from './table-staging.js';
import type { TableContext } from './tables.js';

type ListedGenerator = Extract<ListedSource, { kind: 'generator' }>;
const NUMBER = 'number of the row';

/** Rows of the team's own generator, which runs in a child process. What it gives that is no row is treated as the definition says; one that does not come to its end blocks. */
export async function stageGenerated(duck: Duck, context: TableContext, { source, description }: ListedGenerator, index: number): Promise<number> {
  const { data, findings, signal } = context;
  const fields = fieldsOf(source, context);
  const table = `answer_${index}`;
  await duck.run(`create table ${identifier(table)} (${identifier(NUMBER)} bigint, ${fields.map(({ name }) => `${identifier(name)} varchar`).join(', ')})`);
  const appender = await duck.connection.createAppender(table);
  const faults = new Map<string, { check: Check; message: string; rows: number; named: string[] }>();
  try {
    await generateInChild({
      code: await context.definitionCode(), export: source.export, fields, limits: source.limits, signal,
      onRows: (frame, body) => {
        for (const { check, message, row } of frame.faults) {
          const known = faults.get(`${check} ${message}`) ?? { check, message, rows: 0, named: [] };
          known.rows += 1;
          if (known.named.length < NAMED_ROWS) known.named.push(`${source.export}() row ${row}`);
          faults.set(`${check} ${message}`, known);
        }
        if (frame.rows === 0) return;
        for (const line of Buffer.from(body).toString('utf8').split('\n')) {
          const [number, ...texts] = JSON.parse(line) as [number, ...(string | null)[]];
          appender.appendBigInt(BigInt(number));
          for (const text of texts) {
            if (text === null) appender.appendNull();
            else appender.appendVarchar(text);
          }
          appender.endRow();
        }
        appender.flushSync();
      },
    });
    appender.closeSync();
  } catch (error) {
    if (!(error instanceof GeneratorFailed)) throw error;
    findings.add('source-failed', 'block', error.message, description);
    return 0;
  } finally {
    for (const { check, message, rows, named } of faults.values()) findings.addRows(check, data.checks.unreadable, message, named, rows);
  }
  await stageReading(duck, context, { source, index, name: description, reading: {
    from: identifier(table), types: new Map(fields.map(({ name }) => [name, 'VARCHAR'])), column: identifier,
    ordinal: identifier(NUMBER), origin: `${literal(`${source.export}() row `)} || ${identifier(NUMBER)}`, anyOrder: true, where: 'true',
    settle: () => duck.run(`drop table ${identifier(table)}`),
  } });
  return stagedRows(duck, index);
}

/** What a row has to hold: the columns, and whichever of key, target and divider is none of them. */
function fieldsOf({ key, split, eventTime }: ListedGenerator['source'], { data, views }: TableContext): GeneratedField[] {
  const given = columnsOfViews(views);
  const fields = new Map<string, GeneratedField>(typedColumns(data.columns).filter(({ name }) => !given.includes(name)).map((column) => [column.name, { ...column }]));
  const divider = dividerOf(split, data);
  if (divider && !fields.has(divider.column.name)) fields.set(divider.column.name, divider.column.type === 'time' ? { ...divider.column } : { name: divider.column.name, type: 'name', nullable: true });
  if (data.target.task === 'regression') fields.set(data.target.name, { name: data.target.name, type: 'number', nullable: false });
  for (const { joined } of views) for (const { input, type } of joined.keys) if (!fields.has(input)) fields.set(input, { name: input, type, nullable: true });
  if (eventTime !== undefined && !fields.has(eventTime)) fields.set(eventTime, { name: eventTime, type: 'time', nullable: true });
  for (const name of [key, data.target.name]) if (!fields.has(name)) fields.set(name, { name, type: 'name', nullable: false });
  return [...fields.values()];
}
