create table predictions (
  id uuid not null,
  request_id text not null,
  model model_name not null,
  version integer not null,
  environment label_name not null,
  role text not null check (role in ('live', 'canary', 'shadow')),
  generation integer not null,
  replica text not null,
  at timestamptz not null,
  rows integer not null default 1 check (rows >= 1),
  input bytea not null,
  input_shape integer[] not null,
  input_digest sha256 not null,
  attributes jsonb not null,
  outputs jsonb,
  latency_ms double precision not null check (latency_ms >= 0),
  status text not null check (status in ('ok', 'error')),
  primary key (id, at)
) partition by range (at);
-- Pictures and numbers hardly compress: do not try.
alter table predictions alter column input set storage external;
create index predictions_in_order on predictions (model, environment, version, at, id);
create index predictions_of_request on predictions (model, request_id);

-- Every label that ever arrived, also for predictions that have not arrived yet.
create table labels (
  id bigint generated always as identity primary key,
  model model_name not null,
  prediction_id uuid,
  request_id text,
  label text not null,
  by text not null,
  at timestamptz not null,
  received_at timestamptz not null default now(),
  check ((prediction_id is null) <> (request_id is null)),
  unique nulls not distinct (model, prediction_id, request_id, label, at)
);
create index labels_of_prediction on labels (model, prediction_id, at desc, id desc) where prediction_id is not null;
create index labels_of_request on labels (model, request_id, at desc, id desc) where request_id is not null;

-- The label that counts, for predictions that are here.
create table prediction_labels (
  prediction_id uuid primary key,
  at timestamptz not null,
  model model_name not null,
  environment label_name not null,
  version integer not null,
  label text not null,
  label_id bigint not null references labels
);
create index prediction_labels_in_order on prediction_labels (model, environment, version, at, prediction_id);
create index prediction_labels_of_environment on prediction_labels (model, environment, at, prediction_id);

create table checks (
  id text primary key,
  model model_name not null,
  environment label_name not null,
  version integer not null,
  window_from timestamptz not null,
  window_to timestamptz not null,
  predictions bigint not null,
  labels bigint not null,
  verdict text not null check (verdict in ('ok', 'findings', 'inconclusive')),
  report jsonb not null,
  at timestamptz not null default now()
);
create index checks_newest on checks (model, at desc);

create table findings (
  id bigint generated always as identity primary key,
  model model_name not null,
  environment label_name not null,
  version integer,
  key text not null,
  check_id text not null,
  severity text not null check (severity in ('info', 'warn', 'critical')),
  message text not null,
  data jsonb not null,
  opened_at timestamptz not null default now(),
  closed_at timestamptz
);
create unique index findings_open on findings (model, environment, key) where closed_at is null;
create index findings_newest on findings (model, opened_at desc);

create table scores (
  job text primary key,
  model model_name not null,
  version integer not null,
  input jsonb not null,
  output_prefix text not null,
  partitions integer not null check (partitions >= 0),
  rows bigint not null check (rows >= 0),
  created_at timestamptz not null default now(),
  finished_at timestamptz
);

create table score_partitions (
  job text not null references scores,
  partition integer not null check (partition >= 0),
  rows bigint not null,
  output jsonb not null,
  completed_at timestamptz not null default now(),
  primary key (job, partition)
);
