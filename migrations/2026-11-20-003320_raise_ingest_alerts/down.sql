drop table ingest_alerts;
