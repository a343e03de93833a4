import { identifier, literal } from './duckdb.js';
import { reportLines } from './reading.js';
import { KEEP_REJECTED, renumber, takeRejected } from './rejected-lines.js';
import type { FileToRead, Reading } from './reading.js';
import { scanText } from './text-file.js';

/**
 * A file of JSON lines. A line that is no object, or not UTF-8, is left out and reported with its number. Values come as text: a nested
 * one as its JSON, a number with the digits that it was written with.
 */
export async function readNdjson(file: FileToRead<'ndjson'>, wanted: readonly string[]): Promise<Reading> {
  const { duck, name, findings, severity, signal } = file;
  const text = await scanText(file.path, file.unpacked, {}, signal);
  const fields = literal(JSON.stringify(Object.fromEntries(wanted.map((field) => [field, 'VARCHAR']))));
  // A separator that no JSON text holds unescaped: each line is one field.
  const lines = `read_csv(${literal(text.path)}, columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', header = false, auto_detect = false, strict_mode = false, nullstr = [''], ${KEEP_REJECTED})`;
  const objects = `(select number, blank, case when isObject then json_transform(line, ${fields}) end as fields from (
    select line, row_number() over () as number, (line is null or trim(line, e' \\t\\r') = '') as blank, json_valid(line) and json_type(case when json_valid(line) then line end) = 'OBJECT' as isObject from ${lines}))`;
  return {
    from: objects, types: null, column: (field) => `fields.${identifier(field)}`, ordinal: 'number', origin: `${literal(`${name} line `)} || number`, where: 'fields is not null',
    async settle(staged) {
      const encoding = (await takeRejected(duck)).map(({ line }) => line);
      reportLines(findings, 'unreadable', severity, 'lines that are not UTF-8', name, encoding);
      const lost = text.rows - staged - encoding.length;
      if (lost === 0 && encoding.length === 0) return;
      const numbers = (await duck.rows<{ number: bigint }>(`select number from ${objects} where fields is null and not blank order by number`)).map(({ number }) => Number(number));
      await takeRejected(duck);
      // What was left out for its encoding has no row, so that numbers behind it are too small.
      reportLines(findings, 'unreadable', severity, 'lines that are no JSON object', name, behind(numbers, encoding));
      if (encoding.length > 0) await renumber(duck, name, 0, encoding);
    },
  };
}

/** The numbers of lines among all, from their numbers among those that are not in `gaps`; both in order. */
function behind(numbers: readonly number[], gaps: readonly number[]): number[] {
  let passed = 0;
  return numbers.map((number) => {
    while (passed < gaps.length && (gaps[passed] as number) <= number + passed) passed += 1;
    return number + passed;
  });
}
