drop table unknown_event_names;
drop table event_definitions;
