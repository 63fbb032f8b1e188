alter table stripe_subscriptions
    add column invoiced_workspace text,
    add column invoiced_at        timestamptz;
comment on column stripe_subscriptions.invoiced_workspace is 'metadata.workspace_id as an invoice repeats it: counts where no event about the subscription itself names one.';
comment on column stripe_subscriptions.invoiced_at is 'When the newest invoice that names one was told of.';
create index stripe_subscriptions_named on stripe_subscriptions ((coalesce(named_workspace, invoiced_workspace)));

comment on column subscriptions.flags is 'What the MRR leaves out or stands for: tiered, metered, more_items, collection_paused, discounted, odd_amount, other_currency.';
