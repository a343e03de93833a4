-- Of which description of a view, and of which of its materialisations, a snapshot's rows are; null of snapshots from before.
alter table feature_uses add column commit commit_id, add column generation integer, add column as_of timestamptz;
