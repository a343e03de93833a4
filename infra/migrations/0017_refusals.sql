-- Requests of known callers that were answered with an error. `version` and what follows from it are null where none was chosen yet.
create table refusals (
  id uuid not null,
  request_id text not null,
  model text not null,
  version integer,
  environment label_name not null,
  role text check (role in ('live', 'canary', 'shadow')),
  generation integer,
  replica text not null,
  at timestamptz not null,
  status integer not null check (status between 400 and 599),
  reason text,
  rows integer,
  latency_ms double precision not null check (latency_ms >= 0),
  trace_id text,
  primary key (id, at)
) partition by range (at);
create index refusals_in_order on refusals (model, environment, at, id);
create index refusals_of_request on refusals (model, request_id);

-- What of `latency_ms` went where, and the caller's trace (W3C trace context); null of predictions from before.
alter table predictions add column latency_parts jsonb, add column trace_id text;
