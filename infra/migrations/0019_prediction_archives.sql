-- Days of the prediction log that lie in S3 as Parquet: of each the newest file, and how many rows it holds.
create table prediction_archives (
  log text not null check (log in ('predictions', 'refusals')),
  day date not null,
  rows bigint not null check (rows >= 0),
  file jsonb not null,
  archived_at timestamptz not null default now(),
  primary key (log, day)
);
