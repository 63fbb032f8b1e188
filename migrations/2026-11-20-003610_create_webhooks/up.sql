alter table write_keys add column expires_at timestamptz;
comment on column write_keys.expires_at is 'From then on it opens nothing: it was replaced by another key.';

create table webhook_endpoints (
    id          uuid primary key,
    kind        text not null constraint webhook_endpoints_kind check (kind in ('stripe', 'events')),
    name        text not null constraint webhook_endpoints_name check (length(name) between 1 and 200),
    source_id   uuid references sources (id),
    livemode    boolean,
    created_at  timestamptz not null,
    revoked_at  timestamptz,
    constraint webhook_endpoints_of check ((kind = 'stripe') = (livemode is not null) and (kind = 'events') = (source_id is not null))
);
comment on table webhook_endpoints is 'Addresses at which signed deliveries are taken.';
comment on column webhook_endpoints.source_id is 'Whose events these are, for Standard Webhooks.';
comment on column webhook_endpoints.livemode is 'Which mode of Stripe it takes; events of the other mode change nothing.';

create table webhook_secrets (
    id            uuid primary key,
    endpoint_id   uuid not null references webhook_endpoints (id),
    secret        text not null,
    hint          text not null,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    last_used_at  timestamptz
);
create index webhook_secrets_endpoint on webhook_secrets (endpoint_id);
comment on table webhook_secrets is 'What deliveries are signed with. Readable, because an HMAC cannot be checked by a hash: whoever reads this table can forge deliveries, and nothing else. Emptied once it is over.';
comment on column webhook_secrets.hint is 'The last four characters.';

create table webhook_deliveries (
    id           uuid primary key,
    endpoint_id  uuid not null references webhook_endpoints (id),
    received_at  timestamptz not null,
    event_id     text,
    type         text,
    outcome      text not null,
    reason       text not null,
    secret_id    uuid,
    times        integer not null default 1
);
create index webhook_deliveries_endpoint on webhook_deliveries (endpoint_id, received_at desc);
comment on table webhook_deliveries is 'What came to the endpoints lately, believed or not. Refusals of one kind are one row a minute, so that a forger cannot fill the disk.';

create table stripe_events (
    id               text primary key,
    endpoint_id      uuid not null,
    livemode         boolean not null,
    created_at       timestamptz not null,
    type             text not null,
    api_version      text,
    subscription_id  text,
    customer_id      text,
    key              text not null default '',
    payload          jsonb,
    received_at      timestamptz not null,
    secret_id        uuid,
    outcome          text not null
);
create index stripe_events_subscription on stripe_events (subscription_id, created_at) where subscription_id is not null;
create index stripe_events_received on stripe_events (received_at);
comment on table stripe_events is 'Events that Stripe sent and signed. Forgotten after 90 days.';
comment on column stripe_events.key is 'The same for two events of the same change.';
comment on column stripe_events.payload is 'Of events about subscriptions: object and previous_attributes.';

create table stripe_subscriptions (
    id               text primary key,
    livemode         boolean not null,
    customer_id      text,
    named_workspace  text,
    workspace_id     uuid,
    said_at          timestamptz not null,
    heard_at         timestamptz not null
);
create index stripe_subscriptions_customer on stripe_subscriptions (customer_id);
comment on table stripe_subscriptions is 'Every subscription that Stripe told of, with the workspace it was found to be of, if any.';
comment on column stripe_subscriptions.named_workspace is 'metadata.workspace_id: the product''s own id.';

create table stripe_customers (
    id            text primary key,
    name          text,
    email_domain  text,
    said_at       timestamptz not null,
    workspace_id  uuid,
    mapped_by     uuid references team_members (id),
    mapped_at     timestamptz
);
comment on table stripe_customers is 'Who pays, as Stripe says, and the workspace to which a person has mapped them.';

create index workspaces_stripe_customer on workspaces ((traits ->> 'stripe_customer_id')) where traits ->> 'stripe_customer_id' is not null;
