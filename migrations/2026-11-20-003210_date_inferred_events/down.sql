drop index inferred_events_age;
alter table inferred_events drop column received_on;
