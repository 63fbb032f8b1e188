drop index workspaces_stripe_customer;
create index workspaces_stripe_customer on workspaces ((traits ->> 'stripe_customer_id')) where traits ->> 'stripe_customer_id' is not null;
