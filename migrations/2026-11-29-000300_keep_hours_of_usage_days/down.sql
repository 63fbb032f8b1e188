alter table usage_days drop column first_at;
alter table usage_days drop column hours;
