-- A model whose file is gone from the newest commit of the branch that its definition in force is of: that commit. Nothing is trained of it by itself until the file is back.
alter table models add column removed_commit text, add column removed_at timestamptz;
