drop index ingest_minutes_minute;
