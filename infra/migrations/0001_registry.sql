-- Names and digests that appear in many tables.
create domain sha256 as text check (value ~ '^[0-9a-f]{64}$');
create domain commit_id as text check (value ~ '^[0-9a-f]{40}$');
create domain model_name as text check (value ~ '^[a-z][a-z0-9-]{0,62}$');
create domain label_name as text check (value ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$');

-- For tables that are a record: what was written is never changed or removed.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

create table repositories (
  name label_name primary key,
  url text not null check (url <> ''),
  branches text[] not null check (cardinality(branches) > 0),
  poll_seconds integer not null check (poll_seconds >= 0),
  added_by text not null,
  added_at timestamptz not null default now()
);

create table repository_heads (
  repository label_name not null references repositories,
  branch text not null,
  commit commit_id not null,
  seen_at timestamptz not null default now(),
  primary key (repository, branch)
);

create table hook_deliveries (
  repository label_name not null references repositories,
  delivery text not null,
  commit commit_id not null,
  received_at timestamptz not null default now(),
  primary key (repository, delivery)
);

create table hook_refusals (
  repository text,
  reason text not null,
  count bigint not null default 1,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  unique nulls not distinct (repository, reason)
);

create table intakes (
  repository label_name not null references repositories,
  commit commit_id not null,
  branch text not null,
  committer_name text not null,
  committer_email text not null,
  message text not null,
  committed_at timestamptz,
  status text not null default 'open' check (status in ('open', 'accepted', 'refused')),
  models text[] not null default '{}',
  error jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (repository, commit)
);
create index intakes_newest on intakes (repository, started_at desc);

create table models (
  name model_name primary key,
  repository label_name not null references repositories,
  path text not null,
  owner jsonb not null,
  purpose text not null,
  next_run integer not null default 1,
  next_version integer not null default 1,
  current_commit commit_id,
  applied_commit commit_id,
  applied_policy sha256,
  created_at timestamptz not null default now()
);

create table definitions (
  model model_name not null references models,
  commit commit_id not null,
  seq bigint generated always as identity,
  repository label_name not null references repositories,
  path text not null,
  training_digest sha256 not null,
  policy_digest sha256 not null,
  definition jsonb not null,
  bundle jsonb not null,
  network_bundle jsonb,
  accepted_at timestamptz not null default now(),
  primary key (model, commit)
);

create table locations (
  name label_name primary key,
  uri text not null check (uri <> ''),
  set_by text not null,
  set_at timestamptz not null default now()
);

create table principals (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$'),
  kind text not null check (kind in ('person', 'machine')),
  display_name text not null,
  email text,
  public_key text,
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);

create table principal_roles (
  principal text not null references principals,
  role text not null check (role in ('viewer', 'scientist', 'approver', 'operator', 'auditor', 'admin')),
  -- null: in every environment
  environment label_name,
  granted_at timestamptz not null default now(),
  unique nulls not distinct (principal, role, environment)
);

create table tokens (
  id uuid primary key,
  principal text not null references principals,
  name text not null,
  token_hash sha256 not null unique,
  scopes text[] not null check (scopes <@ array['api', 'predict', 'label']),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

create table environments (
  name label_name primary key,
  policy jsonb not null,
  policy_version integer not null default 1,
  created_at timestamptz not null default now()
);
