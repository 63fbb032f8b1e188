drop table ingest_minutes;
drop table dead_letters;
drop table seen_messages;
drop table journal_pending;
drop table journal;
