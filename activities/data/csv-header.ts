/** The fields of one line of CSV; null where a quote is not closed or text follows one. */
export function splitCsvLine(line: string, delimiter: string, quote: string): string[] | null {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (quote !== '' && line[at] === quote) {
      let field = '';
      for (at += 1; ; at += 2) {
        const end = line.indexOf(quote, at);
        if (end === -1) return null;
        field += line.slice(at, end);
        at = end;
        if (line[at + 1] !== quote) break;
        field += quote;
      }
      at += 1;
      if (at < line.length && line[at] !== delimiter) return null;
      fields.push(field);
    } else {
      const end = line.indexOf(delimiter, at);
      fields.push(line.slice(at, end === -1 ? undefined : end));
      at = end === -1 ? line.length : end;
    }
    if (at >= line.length) return fields;
    at += 1;
  }
}
