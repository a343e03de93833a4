-- What a snapshot's rows are like: references to its profile with sketches, to what people read of it, and to its page. Null before there were profiles.
alter table snapshots add column profile jsonb;
