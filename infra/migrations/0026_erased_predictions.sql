-- Further columns of inputs, and names of attributes, in which the key of an erased row stands, besides the keys of the model's sources.
alter table erasures add column columns text[] not null default '{}';

-- A prediction whose inputs, outputs and attributes were erased, and by which erasure. Its ids stay.
alter table predictions add column erased text;

-- The predictions that an erasure found; `rewritten_at`: when the file of their day in S3 was without them, too.
create table erased_predictions (
  erasure text not null references erasures,
  prediction_id uuid not null,
  at timestamptz not null,
  rewritten_at timestamptz,
  primary key (erasure, prediction_id)
);

-- Nothing was erased in the log so far: the same command again looks there, too.
update erasures set searched_at = null;
