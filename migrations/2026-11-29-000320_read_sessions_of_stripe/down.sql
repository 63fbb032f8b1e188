drop index stripe_customers_named;
alter table stripe_customers drop column named_at, drop column named_workspace;
drop index stripe_subscriptions_reference;
drop index stripe_subscriptions_session;
alter table stripe_subscriptions drop column session_at, drop column session_reference, drop column session_workspace;
