-- What spoke for an answer, where the caller asked for it: the method, what was compared with, the figures, and the attributions as far as the policy lets the log keep them.
alter table predictions add column explanation jsonb;
