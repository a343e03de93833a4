-- Refusals are sent as events too, from the same queue: by this a sender knows in which table the event's row is.
alter table prediction_events add column kind text not null default 'prediction' check (kind in ('prediction', 'refusal'));
