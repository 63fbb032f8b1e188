-- The page of ingestion asks for the last hour and the last day of all sources. Counting does not
-- change the minute, so the index costs one entry a source and minute.
create index ingest_minutes_minute on ingest_minutes (minute);
