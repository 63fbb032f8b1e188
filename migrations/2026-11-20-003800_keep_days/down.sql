create table key_events_whole (like key_events including defaults including comments);
insert into key_events_whole select * from key_events;
drop table key_events;
alter table key_events_whole rename to key_events;
alter table key_events add constraint key_events_pkey primary key (workspace_id, occurred_at, id);
create index key_events_by_event on key_events (workspace_id, event_key, occurred_at);
comment on table key_events is 'The curated stream: key events stored whole, for timelines and evidence.';
drop table membership_events;
drop table retention;
