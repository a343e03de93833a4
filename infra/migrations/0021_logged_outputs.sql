-- How much of an answer the definition's policy let the log keep: `reduced` is the class with its probability, or the class alone; of `none` the column `outputs` is null.
alter table predictions add column outputs_kept text not null default 'whole' check (outputs_kept in ('whole', 'reduced', 'none'));
