create table subscription_words (
    subscription_id  text not null,
    at               timestamptz not null,
    workspace_id     uuid not null,
    said             jsonb not null,
    primary key (subscription_id, at)
);
comment on table subscription_words is 'What records, files and signed events said of a subscription: the fields they named, and no others. With Stripe''s events these make the subscription and its dated rows.';
comment on column subscription_words.at is 'Since when it holds: the newer word about a field wins.';
comment on column subscription_words.said is 'Field to value; null clears the field, an absent field is not spoken of.';

insert into subscription_words (subscription_id, at, workspace_id, said)
select c.subscription_id, c.at, s.workspace_id,
       jsonb_build_object('status', c.status, 'plan', c.plan, 'billing_period', c.billing_period, 'currency', c.currency,
           'mrr_cents', c.mrr_cents, 'seats_purchased', c.seats_purchased, 'trial_start_on', c.trial_start_on,
           'trial_end_on', c.trial_end_on, 'started_at', c.started_at, 'canceled_at', c.canceled_at,
           'ends_on', c.ends_on, 'renewal_on', c.renewal_on)
from subscription_changes c join subscriptions s on s.id = c.subscription_id
where c.origin = 'api';

-- What was said again changed nothing and left no dated row, and is the newest word all the same.
insert into subscription_words (subscription_id, at, workspace_id, said)
select id, updated_at, workspace_id,
       jsonb_build_object('status', status, 'plan', plan, 'billing_period', billing_period, 'currency', currency,
           'mrr_cents', mrr_cents, 'seats_purchased', seats_purchased, 'trial_start_on', trial_start_on,
           'trial_end_on', trial_end_on, 'started_at', started_at, 'canceled_at', canceled_at,
           'ends_on', ends_on, 'renewal_on', renewal_on, 'customer_id', customer_id)
from subscriptions where origin = 'api'
on conflict (subscription_id, at) do update set said = excluded.said;
