-- Test rows of a snapshot that were frozen under a name: every later candidate can be measured on exactly these, and none of them trains.
create table frozen_sets (
  model model_name not null references models,
  name text not null,
  snapshot sha256 not null references snapshots,
  reason text not null,
  by text not null,
  frozen_at timestamptz not null default now(),
  primary key (model, name)
);

-- The rows themselves. The first revision is what was frozen; each later one leaves out a row that was erased.
create table frozen_revisions (
  model model_name not null,
  name text not null,
  revision integer not null,
  digest sha256 not null,
  manifest jsonb not null,
  rows integer not null,
  -- the erasure that it was made for; null of the first
  erasure text references erasures,
  -- sha256 of the files of the revision before that hold the erased row, and when they were removed from S3
  replaced text[] not null default '{}',
  removed_at timestamptz,
  made_at timestamptz not null default now(),
  primary key (model, name, revision),
  foreign key (model, name) references frozen_sets
);

-- What candidates and live versions came to on these rows, by the run that trained them.
create table frozen_measurements (
  model model_name not null,
  name text not null,
  digest sha256 not null,
  run text not null references runs,
  report jsonb not null,
  measured_at timestamptz not null default now(),
  primary key (model, name, digest, run),
  foreign key (model, name) references frozen_sets
);
create index frozen_measurements_by_run on frozen_measurements (run);
