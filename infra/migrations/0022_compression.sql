-- Runs make smaller variants of what they trained, and keep what was measured of them.
alter table runs drop constraint runs_step_check;
alter table runs add constraint runs_step_check check (step in ('queued', 'snapshot', 'validate', 'quick-pass', 'train', 'compress', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval', 'release', 'done'));
alter table evaluations drop constraint evaluations_kind_check;
alter table evaluations add constraint evaluations_kind_check check (kind in ('offline', 'live-on-same-rows', 'gates', 'test-environment', 'compression'));
