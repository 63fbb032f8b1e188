create table workspaces (
    id               uuid primary key,
    external_id      text not null constraint workspaces_external_key unique,
    name             text not null,
    type             text not null default 'prod' constraint workspaces_type check (type in ('prod', 'sandbox', 'dev')),
    status           text not null default 'active' constraint workspaces_status check (status in ('active', 'suspended', 'deleted')),
    plan_tier        text constraint workspaces_plan check (plan_tier in ('free', 'trial', 'pro', 'enterprise')),
    website          text,
    billing_domain   text,
    sso_domain       text,
    seats_purchased  integer,
    traits           jsonb not null default '{}',
    trait_times      jsonb not null default '{}',
    created_at       timestamptz not null,
    first_seen_at    timestamptz not null
);
create index workspaces_name on workspaces (lower(name), id);
comment on table workspaces is 'Tenants of the product, where usage happens. The id is a hash of the product''s own id.';
comment on column workspaces.created_at is 'As the product says, else the earliest event.';

create table memberships (
    workspace_id       uuid not null,
    user_id            uuid not null,
    role               text constraint memberships_role check (role in ('admin', 'member', 'viewer')),
    role_at            timestamptz,
    persona            text constraint memberships_persona check (persona in ('builder', 'champion', 'evaluator', 'economic_buyer')),
    persona_source     text,
    joined_at          timestamptz not null,
    left_at            timestamptz,
    last_active_at     timestamptz,
    first_group_at     timestamptz,
    last_group_at      timestamptz,
    invitation_source  text,
    invited_by         text,
    primary key (workspace_id, user_id)
);
create index memberships_user on memberships (user_id);
comment on table memberships is 'Who is in which workspace: the junction of people and workspaces. Leaving ends a row, it never deletes one.';
comment on column memberships.last_group_at is 'The newest group() call of this person for this workspace: events without a workspace follow it.';

create table subscriptions (
    id               text primary key,
    workspace_id     uuid not null,
    status           text not null constraint subscriptions_status check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused')),
    plan             text,
    billing_period   text constraint subscriptions_period check (billing_period in ('month', 'year')),
    currency         text not null default 'usd',
    mrr_cents        bigint not null default 0,
    seats_purchased  integer,
    trial_start_on   date,
    trial_end_on     date,
    started_at       timestamptz,
    canceled_at      timestamptz,
    renewal_on       date,
    origin           text not null,
    updated_at       timestamptz not null
);
create index subscriptions_workspace on subscriptions (workspace_id);
comment on table subscriptions is 'Monetisation over time. A workspace can have several.';
comment on column subscriptions.mrr_cents is 'Monthly recurring revenue in minor units of the currency.';
comment on column subscriptions.origin is 'Where it came from: traits, api, stripe.';
