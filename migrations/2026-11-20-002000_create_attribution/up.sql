create table group_calls (
    user_id       uuid not null,
    at            timestamptz not null,
    workspace_id  uuid not null,
    primary key (user_id, at, workspace_id)
);
comment on table group_calls is 'When a person, known or anonymous, was said to be in which workspace: what events without a workspace follow.';

create table inferred_events (
    user_id       uuid not null,
    occurred_at   timestamptz not null,
    id            uuid not null,
    event_key     text not null,
    feature       text not null default '',
    value         numeric,
    workspace_id  uuid,
    payload       jsonb,
    primary key (user_id, occurred_at, id)
);
create index inferred_events_waiting on inferred_events (user_id) where workspace_id is null;
comment on table inferred_events is 'Counted events whose workspace was not named by the call, so that a later group() or stitch can move them: any order of arrival ends the same.';
comment on column inferred_events.workspace_id is 'Where the event counts today; null while no workspace is known.';
comment on column inferred_events.payload is 'What a key event needs once it counts; kept only while it waits.';

create table visits (
    user_id       uuid not null,
    workspace_id  uuid not null,
    first_on      date not null,
    primary key (user_id, workspace_id)
);
comment on table visits is 'Workspaces in which an anonymous person has usage: what a late stitch touches. Known people have memberships.';

alter table memberships add column explicit_active_at timestamptz;
comment on column memberships.explicit_active_at is 'The newest event that named this workspace itself; with the inferred ones it makes last_active_at.';
alter table memberships add column persona_at timestamptz;

alter table workspaces add column website_domain text;
comment on column workspaces.website_domain is 'The registrable domain of the website: evidence for an account.';
create index workspaces_website_domain on workspaces (website_domain) where website_domain is not null;
create index workspaces_billing_domain on workspaces (billing_domain) where billing_domain is not null;
create index workspaces_sso_domain on workspaces (sso_domain) where sso_domain is not null;
