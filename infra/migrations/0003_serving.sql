create table environment_models (
  environment label_name not null references environments,
  model model_name not null references models,
  paused boolean not null default false,
  paused_reason text,
  paused_by text,
  live_version integer,
  primary key (environment, model)
);

-- The primary key is the compare-and-set: two writers who expect the same generation insert the same key.
create table routes (
  environment label_name not null references environments,
  model model_name not null references models,
  generation integer not null check (generation >= 1),
  intent text not null check (intent <> ''),
  arms jsonb not null,
  keep_warm_ms bigint not null check (keep_warm_ms >= 0),
  written_at timestamptz not null default now(),
  written_by text not null,
  reason text not null,
  primary key (environment, model, generation),
  unique (environment, model, intent)
);
create trigger routes_append_only before update or delete on routes for each row execute function refuse_change();

create table replicas (
  id text primary key,
  environment label_name not null references environments,
  url text not null,
  pid integer not null,
  lease_until timestamptz not null,
  released_at timestamptz
);
create index replicas_of_environment on replicas (environment, lease_until);

-- Times in which a replica's lease was never broken.
create table lease_intervals (
  id bigint generated always as identity primary key,
  replica text not null references replicas,
  environment label_name not null,
  since timestamptz not null,
  until timestamptz not null,
  -- true: it said goodbye; false with `until` in the past: the lease lapsed
  released boolean not null default false,
  check (until >= since)
);
create index lease_intervals_of_replica on lease_intervals (replica, since desc);
create index lease_intervals_of_environment on lease_intervals (environment, since, until);

-- What a replica said that it serves; version null: nothing.
create table serving_intervals (
  id bigint generated always as identity primary key,
  replica text not null references replicas,
  environment label_name not null,
  model model_name not null,
  version integer,
  generation integer not null,
  since timestamptz not null,
  until timestamptz not null,
  closed boolean not null default false,
  check (until >= since)
);
create unique index serving_intervals_open on serving_intervals (replica, model) where not closed;
create index serving_intervals_of_model on serving_intervals (environment, model, since, until);
create index serving_intervals_of_version on serving_intervals (model, version, since);

create table slots (
  name text primary key,
  holder text not null,
  until timestamptz not null
);
