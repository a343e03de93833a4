-- What is known of an entity, and since when: described in a repository, materialised by a workflow.
create table feature_views (
  name model_name primary key,
  repository label_name not null references repositories,
  path text not null,
  owner jsonb not null,
  purpose text not null,
  current_commit commit_id,
  created_at timestamptz not null default now()
);

create table feature_view_definitions (
  view model_name not null references feature_views,
  commit commit_id not null,
  seq bigint generated always as identity,
  repository label_name not null references repositories,
  path text not null,
  -- sha256 of what decides the rows
  digest sha256 not null,
  definition jsonb not null,
  bundle jsonb not null,
  accepted_at timestamptz not null default now(),
  primary key (view, commit)
);
create index feature_view_definitions_by_digest on feature_view_definitions (view, digest, seq desc);

-- The rows that are stored of a view in S3. Its generation counts the materialisations, each of which replaces the one that it read.
create table feature_stores (
  view model_name not null references feature_views,
  digest sha256 not null,
  generation integer not null default 0,
  -- reference to the manifest that names the files; null before the first materialisation
  manifest jsonb,
  rows bigint not null default 0,
  -- the source is stored as it was then
  as_of timestamptz,
  primary key (view, digest)
);

create table materialisations (
  id text not null,
  view model_name not null references feature_views,
  digest sha256 not null,
  as_of timestamptz not null,
  status text not null default 'running' check (status in ('running', 'done', 'failed')),
  rows_read bigint,
  rows_added bigint,
  error jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (view, id, digest),
  check ((ended_at is null) = (status = 'running'))
);
create index materialisations_newest on materialisations (view, started_at desc);

-- The newest row of each entity, by a hash of its key. `cells` is JSON as text, since jsonb does not hold every text.
create table feature_rows (
  view model_name not null,
  digest sha256 not null,
  entity sha256 not null,
  cells text not null,
  event_time timestamptz not null,
  known_time timestamptz not null,
  materialised_at timestamptz not null default now(),
  primary key (view, digest, entity),
  foreign key (view, digest) references feature_stores
);

-- Which rows of a view a snapshot was joined with: versions that were trained on it look up rows of the same content.
create table feature_uses (
  snapshot sha256 not null references snapshots,
  view model_name not null,
  digest sha256 not null,
  primary key (snapshot, view, digest),
  foreign key (view, digest) references feature_stores
);
create index feature_uses_of_view on feature_uses (view, digest);
