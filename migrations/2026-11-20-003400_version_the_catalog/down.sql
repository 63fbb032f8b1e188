drop table catalog_versions;
alter table event_definitions drop column conditions;
