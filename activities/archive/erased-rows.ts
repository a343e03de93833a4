import { literal, type Duck } from '../data/duckdb.js';
import type { FoundPrediction, KeptErasure } from '../../stores/erased-predictions.js';

/** JSON pointer (RFC 6901) to a member, as DuckDB reads it. */
const pointer = (name: string): string => literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);

/** Rows of a relation with the columns of a day's file that an erasure is about: by the prediction's id, by the digest of its input (the key of rows that are made of labelled predictions), or by the key in a column of the input or in an attribute. Erased ones are not found again. */
export async function erasedRows(duck: Duck, relation: string, { model, keyHash, salt, columns }: KeptErasure): Promise<FoundPrediction[]> {
  const hashed = (value: string) => `sha256(${literal(salt)} || chr(10) || ${value}) = ${literal(keyHash)}`;
  // A table's input is a JSON object, and its shape is empty; a picture's bytes are no text.
  const input = `case when len(input_shape) = 0 and octet_length(input) > 0 then decode(input) end`;
  const values = ['id::varchar', `case when octet_length(input) > 0 then input_digest end`, ...columns.flatMap((name) => [`json_extract_string(${input}, ${pointer(name)})`, `json_extract_string(attributes, ${pointer(name)})`])];
  const found = await duck.rows<{ id: string; at: string }>(
    `select id::varchar as id, strftime("at", '%Y-%m-%dT%H:%M:%S.%f') || 'Z' as "at" from (${relation}) where model = ${literal(model)} and (octet_length(input) > 0 or outputs is not null or attributes <> '{}')
     and (${values.map((value) => `coalesce(${hashed(value)}, false)`).join(' or ')})`);
  return found.map(({ id, at }) => ({ id, at }));
}

/** How a file's columns read once rows were erased, by column; the same as in PostgreSQL. */
export const ERASED: Readonly<Record<string, string>> = {
  input: `''::blob`, input_digest: `sha256('')`, input_kept: `'none'`, outputs: 'null', outputs_kept: `'none'`, attributes: `'{}'`, guarded: 'null', explanation: 'null',
};
