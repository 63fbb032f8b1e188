drop index accounts_external_id;
alter table write_keys drop column for_servers;
