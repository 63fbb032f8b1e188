alter table score_history add column scored_on date not null default '2000-01-01';
comment on column score_history.scored_on is 'The day on which this day was scored: itself, or a later one that looked back. What was looked back on today is scored again with whatever becomes known today; 2000-01-01 in rows from before the column.';
