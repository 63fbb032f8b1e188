alter table write_keys add column for_servers boolean not null default false;
comment on column write_keys.for_servers is 'Also takes records (POST /v1/workspaces and its like): never shown in a browser, unlike the keys of SDKs.';

create index accounts_external_id on accounts ((traits ->> 'account_id')) where traits ? 'account_id';
