drop table event_name_days;
drop table event_names;
drop table ingest_measures;
