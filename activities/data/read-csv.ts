import { splitCsvLine } from './csv-header.js';
import { identifier, literal } from './duckdb.js';
import { reportLines } from './reading.js';
import { KEEP_REJECTED, renumber, takeRejected } from './rejected-lines.js';
import type { FileToRead, Reading } from './reading.js';
import { scanText, TextFileError } from './text-file.js';
import type { Check } from './findings.js';

const NUMBER = identifier('number of the row');
/** Stands for a missing value where no text does. */
const NEVER = '\x01';

/**
 * A CSV file, held to RFC 4180: every row has the header's fields. Rows that have not, or that are not UTF-8, are left out and
 * reported with their line.
 */
export async function readCsv(file: FileToRead<'csv'>): Promise<Reading> {
  const { duck, source, name, findings, severity, signal } = file;
  const { delimiter, quote, decimal, nulls } = source;
  const text = await scanText(file.path, file.unpacked, { delimiter, quote }, signal);
  const headerLines = source.header === true ? 1 : 0;
  const header = source.header === true ? headerOf(text.firstLine, delimiter, quote) : source.header;
  const columns = header.map((column) => `${literal(column)}: 'VARCHAR'`).join(', ');
  const from = `read_csv(${literal(text.path)}, auto_detect = false, strict_mode = true, header = ${headerLines === 1}, delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)},
    columns = {${columns}}, nullstr = [${(nulls.length === 0 ? [NEVER] : nulls).map(literal).join(', ')}], ${KEEP_REJECTED})`;
  const unit = text.lineIsRow ? 'line' : 'row';
  const shift = text.lineIsRow ? headerLines : 0;
  return {
    from: `(select *, row_number() over () as ${NUMBER} from ${from})`,
    types: new Map(header.map((column) => [column, 'VARCHAR'])),
    column: (column, as) => (as === 'number' && decimal === ',' ? `case when contains(${identifier(column)}, '.') then ${identifier(column)} || ' with a point' else replace(${identifier(column)}, ',', '.') end` : identifier(column)),
    ordinal: NUMBER, origin: `${literal(`${name} ${unit} `)} || (${NUMBER} + ${shift})`, where: 'true',
    async settle(staged) {
      const rejected = await takeRejected(duck);
      for (const kind of new Set(rejected.map((one) => one.kind))) {
        const { check, message } = meaningOf(kind, header.length);
        reportLines(findings, check, severity, message, name, rejected.filter((one) => one.kind === kind).map(({ line }) => line));
      }
      const lost = text.rows - headerLines - staged - rejected.length;
      if (lost !== 0) findings.add('unreadable', 'block', `${Math.abs(lost)} rows ${lost > 0 ? 'could not be told apart' : 'more than lines'}: check its quotes and line ends`, name);
      if (rejected.length > 0 && text.lineIsRow) await renumber(duck, name, shift, rejected.map(({ line }) => line - headerLines));
    },
  };
}

function headerOf(line: string, delimiter: string, quote: string): string[] {
  const header = splitCsvLine(line, delimiter, quote);
  if (header === null) throw new TextFileError('the header\'s quotes are not closed', 1);
  const twice = header.find((name, index) => header.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < index);
  if (twice !== undefined) throw new TextFileError(`the header names the column ${twice} twice`, 1);
  if (header.includes('')) throw new TextFileError(line === '' ? 'there is no header' : 'the header has a column without a name', 1);
  return header;
}

function meaningOf(kind: string, fields: number): { check: Check; message: string } {
  switch (kind) {
    case 'MISSING COLUMNS': return { check: 'wrong-shape', message: `rows with fewer than the header's ${fields} fields` };
    case 'TOO MANY COLUMNS': return { check: 'wrong-shape', message: `rows with more than the header's ${fields} fields` };
    case 'INVALID ENCODING': return { check: 'unreadable', message: 'rows that are not UTF-8' };
    case 'UNQUOTED VALUE': return { check: 'unreadable', message: 'rows with text after a closing quote, or a quote that is not closed' };
    default: return { check: 'unreadable', message: `rows that cannot be read (${kind.toLowerCase()})` };
  }
}
