alter table jobs add column cancelled_at timestamptz;
comment on column jobs.cancelled_at is 'When a person ended it early; it is finished then, and what it had committed stays.';
