-- Predictions of which a CloudEvent is still to be sent, written in the transaction that writes the prediction and removed once the receiver has it.
create table prediction_events (
  seq bigint generated always as identity primary key,
  id uuid not null,
  at timestamptz not null,
  environment label_name not null,
  enqueued_at timestamptz not null default now(),
  -- a sender has it in its hands until then
  claimed_until timestamptz
);
create index prediction_events_in_order on prediction_events (environment, seq);

-- Events that were given up, by the day on which that was done.
create table prediction_events_given_up (
  environment label_name not null,
  day date not null,
  reason text not null check (reason in ('expired', 'refused', 'removed')),
  events bigint not null,
  primary key (environment, day, reason)
);
