-- A trait is as long as its sender wants, and an entry of an index is not.
drop index workspaces_stripe_customer;
create index workspaces_stripe_customer on workspaces (md5(traits ->> 'stripe_customer_id')) where traits ->> 'stripe_customer_id' is not null;
