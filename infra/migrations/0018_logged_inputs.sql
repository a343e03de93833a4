-- How much of an input the definition's policy let the log keep.
alter table predictions add column input_kept text not null default 'whole' check (input_kept in ('whole', 'redacted', 'none'));

-- Predictions that were answered and not logged, by policy, while there was no room: counted by the replica that answered them.
create table prediction_gaps (
  id uuid primary key,
  model model_name not null,
  environment label_name not null,
  replica text not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  predictions bigint not null check (predictions > 0)
);
create index prediction_gaps_in_order on prediction_gaps (model, environment, first_at);
