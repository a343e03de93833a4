-- Why a replica could not take up a route: read by the release that waits for it. One row per replica and generation.
create table replica_failures (
  replica text not null,
  environment label_name not null references environments,
  model model_name not null references models,
  generation integer not null check (generation >= 1),
  version integer,
  code text not null,
  message text not null,
  at timestamptz not null default now(),
  primary key (environment, model, generation, replica)
);
