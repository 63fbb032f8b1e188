drop table key_events;
drop table usage_days;
