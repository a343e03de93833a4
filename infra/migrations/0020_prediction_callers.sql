-- Who asked: `key:<name>` of an API key, or a principal's id; null of what an earlier release logged, and where nobody was known.
alter table predictions add column caller text;
alter table refusals add column caller text;
