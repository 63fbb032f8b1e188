create index dead_letters_open on dead_letters (code, received_at desc) where replayed_at is null and discarded_at is null;
drop index dead_letters_newest;
drop index dead_letters_groups;
drop table dead_letter_attempts;
drop table ingest_replays;
alter table dead_letters drop column mended;
