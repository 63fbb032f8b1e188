drop table subscription_changes;
alter table subscriptions drop column customer_id, drop column ends_on, drop column flags;
