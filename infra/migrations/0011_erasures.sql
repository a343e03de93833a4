-- A row that a person asked to be erased: never its key, only a salted hash of it. Later snapshots are built without it.
create table erasure_salts (
  model model_name primary key references models,
  salt text not null
);

create table erasures (
  id text primary key,
  model model_name not null references models,
  key_hash sha256 not null,
  reason text not null,
  by text not null,
  requested_at timestamptz not null default now(),
  -- null until every snapshot of the model was looked through
  searched_at timestamptz,
  unique (model, key_hash)
);

-- Snapshots that hold an erased row.
create table erased_snapshots (
  erasure text not null references erasures,
  snapshot sha256 not null references snapshots,
  -- sha256 of the files that hold it: shards and, when they are removed, profiles
  files text[] not null,
  -- when these files were removed from S3; null while no successor is there
  removed_at timestamptz,
  primary key (erasure, snapshot)
);
create index erased_snapshots_by_snapshot on erased_snapshots (snapshot);
