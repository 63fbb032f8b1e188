alter table subscriptions
    add column customer_id text,
    add column ends_on     date,
    add column flags       text[] not null default '{}';
comment on column subscriptions.customer_id is 'Who pays, in the words of the billing system.';
comment on column subscriptions.ends_on is 'The day on which it ends, where somebody has cancelled it for later.';
comment on column subscriptions.flags is 'What the MRR leaves out or stands for: tiered, metered, more_items, collection_paused, discounted, odd_amount.';
comment on column subscriptions.updated_at is 'When this was said: of two words about a subscription the newer one holds.';

create table subscription_changes (
    subscription_id  text not null,
    at               timestamptz not null,
    key              text not null default '',
    place            smallint not null default 0,
    status           text not null constraint subscription_changes_status check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused')),
    plan             text,
    billing_period   text constraint subscription_changes_period check (billing_period in ('month', 'year')),
    currency         text not null,
    mrr_cents        bigint not null,
    seats_purchased  integer,
    trial_start_on   date,
    trial_end_on     date,
    started_at       timestamptz,
    canceled_at      timestamptz,
    ends_on          date,
    renewal_on       date,
    flags            text[] not null default '{}',
    origin           text not null,
    primary key (subscription_id, at, key)
);
comment on table subscription_changes is 'What a subscription was from a moment on: one row for each word about it that changed something. It holds until the next row.';
comment on column subscription_changes.key is 'Stripe''s event, where several words are of one second; empty for everything else.';
comment on column subscription_changes.place is 'The order within one moment.';

insert into subscription_changes (subscription_id, at, status, plan, billing_period, currency, mrr_cents, seats_purchased,
    trial_start_on, trial_end_on, started_at, canceled_at, renewal_on, origin)
select id, updated_at, status, plan, billing_period, currency, mrr_cents, seats_purchased,
    trial_start_on, trial_end_on, started_at, canceled_at, renewal_on, origin
from subscriptions;
