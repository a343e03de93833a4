-- What a model's sources looked like when a snapshot was built from them: found again, nothing has to be read.
create table snapshot_fingerprints (
  model model_name not null references models,
  fingerprint sha256 not null,
  digest sha256 not null references snapshots,
  at timestamptz not null default now(),
  primary key (model, fingerprint)
);
