alter table stripe_subscriptions
    add column session_workspace  text,
    add column session_reference  text,
    add column session_at         timestamptz;
comment on column stripe_subscriptions.session_workspace is 'The workspace that the metadata of the checkout session name.';
comment on column stripe_subscriptions.session_reference is 'client_reference_id of the checkout session: counts only as the id of a workspace that exists.';
comment on column stripe_subscriptions.session_at is 'When the newest checkout session was completed.';
create index stripe_subscriptions_session on stripe_subscriptions (session_workspace) where session_workspace is not null;
create index stripe_subscriptions_reference on stripe_subscriptions (session_reference) where session_reference is not null;

alter table stripe_customers
    add column named_workspace  text,
    add column named_at         timestamptz;
comment on column stripe_customers.named_workspace is 'The workspace that the metadata of the customer name.';
comment on column stripe_customers.named_at is 'When the newest event about the customer was made.';
create index stripe_customers_named on stripe_customers (named_workspace) where named_workspace is not null;

comment on column subscriptions.flags is 'What the MRR leaves out or stands for: tiered, metered, more_items, collection_paused, discounted, odd_amount, other_currency; free: every item has a fixed price of 0.';
