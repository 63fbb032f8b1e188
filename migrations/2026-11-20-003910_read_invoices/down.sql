comment on column subscriptions.flags is 'What the MRR leaves out or stands for: tiered, metered, more_items, collection_paused, discounted, odd_amount.';
drop index stripe_subscriptions_named;
alter table stripe_subscriptions drop column invoiced_workspace, drop column invoiced_at;
