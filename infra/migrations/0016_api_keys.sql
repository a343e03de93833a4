-- Keys by which application teams call prediction servers: for some models of one environment, within limits.
create table api_keys (
  name label_name primary key,
  environment label_name not null references environments,
  models text[] not null check (cardinality(models) > 0),
  scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['predict', 'label']),
  -- predictions; null: as many as come
  rate_per_second double precision check (rate_per_second > 0),
  daily bigint check (daily > 0),
  expires_at timestamptz,
  created_by text not null,
  created_at timestamptz not null default now(),
  revoked_by text,
  revoked_at timestamptz,
  check ((revoked_at is null) = (revoked_by is null))
);
create index api_keys_of_environment on api_keys (environment);

-- What callers send: the key's newest secret, and those before it for as long as they overlap.
create table api_key_secrets (
  hash sha256 primary key,
  name label_name not null references api_keys,
  made_by text not null,
  made_at timestamptz not null default now(),
  -- null: until it is replaced
  valid_until timestamptz
);
create index api_key_secrets_of_key on api_key_secrets (name);

-- Predictions that were given by a day (UTC), as each process of a prediction server tells from time to time: a count only grows, so telling it twice does nothing.
create table api_key_use (
  name label_name not null references api_keys,
  day date not null,
  process uuid not null,
  used bigint not null,
  -- predictions a second that were asked of this process lately, by which the processes divide the key's rate
  asked double precision not null,
  told_at timestamptz not null default now(),
  primary key (name, day, process)
);
create index api_key_use_of_day on api_key_use (day);
