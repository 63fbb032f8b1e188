alter table webhook_secrets drop column review_since, drop column created_by;
alter table api_keys drop column review_since, drop column created_by;
alter table write_keys drop column review_since, drop column created_by;
