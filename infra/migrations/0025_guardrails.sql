-- What guardrails found of a prediction, and, where its answer is not the version's own, what that was; of a refused request, why.
alter table predictions add column guarded jsonb;
alter table refusals add column guardrails jsonb;
