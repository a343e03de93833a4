-- A version that was built again from what is stored, and what came of it.
create table reproductions (
  id text primary key,
  model model_name not null,
  version integer not null,
  by text not null,
  -- null: exact where one thread trained it, else the stated tolerance
  tolerance double precision check (tolerance >= 0),
  status text not null default 'running' check (status in ('running', 'identical', 'within-tolerance', 'different', 'failed')),
  progress jsonb,
  -- the files that the second training made
  rebuilt jsonb,
  report jsonb,
  error jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  foreign key (model, version) references versions,
  check ((ended_at is null) = (status = 'running'))
);
create index reproductions_of_version on reproductions (model, version, started_at desc);

-- Loss and accuracy of every epoch, of runs and of whatever else trains.
create table learning_curves (
  subject text primary key,
  epochs jsonb not null,
  parameters bigint not null check (parameters >= 0),
  saved_at timestamptz not null default now()
);
