-- When a day's partition was removed from PostgreSQL, its rows being in S3. What comes of such a day later, from a replica that was away, is added to its file.
alter table prediction_archives add column removed_at timestamptz;
