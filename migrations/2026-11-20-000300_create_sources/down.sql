drop table api_keys;
drop table write_keys;
drop table sources;
