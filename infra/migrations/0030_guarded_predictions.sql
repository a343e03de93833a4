-- Few predictions meet a guardrail: a check counts those of a day without reading the others.
create index predictions_guarded on predictions (model, environment, version, at) where guarded is not null;
