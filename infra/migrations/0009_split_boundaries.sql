-- Where validation and test begin, for rows that a definition divides by shares of a time: fixed by the first snapshot, so that no row moves.
create table split_boundaries (
  model model_name not null references models,
  -- sha256 of the column and the shares
  rule sha256 not null,
  validation_from timestamptz,
  test_from timestamptz,
  fixed_at timestamptz not null default now(),
  primary key (model, rule)
);
