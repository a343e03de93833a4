create table ledger (
  chain text not null check (chain ~ '^[^/]+/[^/]+$'),
  seq bigint not null check (seq >= 1),
  event_id text not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject jsonb not null,
  previous sha256 not null,
  hash sha256 not null,
  primary key (chain, seq),
  unique (chain, event_id)
);
create trigger ledger_append_only before update or delete on ledger for each row execute function refuse_change();

-- Heads that were also written to S3: what has to be in the chain still.
create table ledger_anchors (
  chain text not null,
  seq bigint not null,
  hash sha256 not null,
  uri text not null,
  at timestamptz not null default now(),
  primary key (chain, seq)
);

create table outbox (
  id text primary key,
  kind text not null check (kind in ('mail')),
  payload jsonb not null,
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  next_at timestamptz not null default now(),
  sent_at timestamptz,
  error text
);
create index outbox_due on outbox (next_at) where sent_at is null;
