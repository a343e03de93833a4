-- Trainings that register nothing: each trial one combination of parameters, judged on one fold.
create table experiments (
  id text primary key,
  model model_name not null references models,
  commit commit_id not null,
  branch text not null,
  by text not null,
  plan jsonb not null,
  -- the figure that decides, known when the commit was read
  metric text,
  -- what the commit says, kept here because the commit is not taken in
  definition jsonb,
  network_bundle jsonb,
  snapshot sha256 references snapshots,
  status text not null default 'running' check (status in ('running', 'done', 'failed', 'cancelled')),
  stopped text,
  error jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  check ((ended_at is null) = (status = 'running'))
);
create index experiments_of_model on experiments (model, started_at desc);

create table experiment_trials (
  experiment text not null references experiments,
  trial integer not null check (trial >= 1),
  combination integer not null check (combination >= 1),
  parameters jsonb not null,
  fold integer check (fold >= 0),
  status text not null default 'running' check (status in ('running', 'done', 'failed')),
  progress jsonb,
  figures jsonb not null default '{}',
  rows bigint,
  error jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (experiment, trial),
  check ((ended_at is null) = (status = 'running'))
);
