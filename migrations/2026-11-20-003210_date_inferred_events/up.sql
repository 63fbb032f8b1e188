alter table inferred_events add column received_on date not null default current_date;
comment on column inferred_events.received_on is 'When it was projected, by the database''s clock: says when it may be forgotten. What was here before counts as of the migration.';
create index inferred_events_age on inferred_events using brin (received_on);
