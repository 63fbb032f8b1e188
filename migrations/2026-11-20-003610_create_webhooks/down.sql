drop index workspaces_stripe_customer;
drop table stripe_customers, stripe_subscriptions, stripe_events, webhook_deliveries, webhook_secrets, webhook_endpoints;
alter table write_keys drop column expires_at;
