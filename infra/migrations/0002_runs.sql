create table snapshots (
  digest sha256 primary key,
  model model_name not null references models,
  manifest jsonb not null,
  rows bigint not null check (rows >= 0),
  counts jsonb not null,
  report jsonb not null,
  blocked boolean not null,
  created_at timestamptz not null default now()
);
create index snapshots_of_model on snapshots (model, created_at desc);

create table runs (
  id text primary key,
  model model_name not null references models,
  number integer not null check (number >= 1),
  cause text not null,
  reason jsonb not null,
  commit commit_id not null,
  training_digest sha256 not null,
  policy_digest sha256 not null,
  status text not null default 'queued' check (status in ('queued', 'running', 'waiting', 'released', 'applied', 'unchanged', 'rejected', 'expired', 'superseded', 'failed', 'cancelled', 'refused')),
  step text not null default 'queued' check (step in ('queued', 'snapshot', 'validate', 'quick-pass', 'train', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval', 'release', 'done')),
  attempt integer not null default 1 check (attempt >= 1),
  snapshot sha256,
  candidate jsonb,
  version integer,
  evidence sha256,
  error jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (model, cause),
  unique (model, number),
  check ((ended_at is null) = (status in ('queued', 'running', 'waiting')))
);
create index runs_newest on runs (created_at desc);
create index runs_of_model on runs (model, created_at desc);
create index runs_open on runs (model) where ended_at is null;
create index runs_trained on runs (model, training_digest, snapshot);

create table run_events (
  id bigint generated always as identity primary key,
  run text not null references runs,
  event_id text not null,
  at timestamptz not null,
  kind text not null check (kind in ('step', 'progress', 'note', 'gate', 'refusal', 'decision', 'mail', 'error', 'end')),
  step text,
  message text not null,
  data jsonb not null,
  unique (run, event_id)
);
create index run_events_in_order on run_events (run, id);

create table evaluations (
  run text not null references runs,
  kind text not null check (kind in ('offline', 'live-on-same-rows', 'gates', 'test-environment')),
  version integer,
  report jsonb not null,
  ref jsonb,
  saved_at timestamptz not null default now(),
  primary key (run, kind)
);

create table versions (
  model model_name not null references models,
  version integer not null check (version >= 1),
  run text not null unique references runs,
  status text not null default 'registered' check (status in ('registered', 'tested', 'approved', 'live', 'retired', 'rejected', 'quarantined')),
  package_digest sha256 not null,
  manifest jsonb not null,
  commit commit_id not null,
  snapshot sha256 not null,
  training_digest sha256 not null,
  hyperparameters jsonb not null,
  environment_lock jsonb not null,
  metrics jsonb not null,
  registered_by text not null,
  reason text not null,
  registered_at timestamptz not null default now(),
  primary key (model, version)
);

create table version_transitions (
  seq bigint generated always as identity primary key,
  model model_name not null,
  version integer not null,
  event_id text not null,
  from_status text,
  to_status text not null,
  by text not null,
  why text not null,
  at timestamptz not null default now(),
  foreign key (model, version) references versions,
  unique (model, version, event_id)
);
create trigger version_transitions_append_only before update or delete on version_transitions for each row execute function refuse_change();

create table evidence (
  digest sha256 primary key,
  seq bigint generated always as identity,
  run text not null references runs,
  model model_name not null,
  version integer not null,
  environment label_name not null,
  live_version integer,
  live_generation integer not null check (live_generation >= 0),
  json jsonb not null,
  html jsonb,
  deadline timestamptz not null,
  sealed jsonb not null,
  sealed_at timestamptz not null default now()
);
create index evidence_of_run on evidence (run, seq desc);
create trigger evidence_append_only before update or delete on evidence for each row execute function refuse_change();

create table decisions (
  id bigint generated always as identity primary key,
  run text not null references runs,
  evidence sha256 not null,
  verdict text not null check (verdict in ('approve', 'reject')),
  approver text not null,
  nonce text not null,
  decision jsonb not null,
  via text not null check (via in ('signal', 'update', 'automatic')),
  accepted boolean not null,
  refusal text,
  payload_digest sha256 not null,
  at timestamptz not null default now(),
  unique (run, payload_digest),
  check (accepted = (refusal is null))
);
-- The first accepted decision is the only one; a nonce is good once.
create unique index decisions_one_accepted on decisions (run, evidence) where accepted;
create unique index decisions_nonce on decisions (nonce) where accepted;
create trigger decisions_append_only before update or delete on decisions for each row execute function refuse_change();
