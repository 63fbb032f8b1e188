create table usage_days (
    workspace_id  uuid not null,
    user_id       uuid not null,
    event_key     text not null,
    feature       text not null default '',
    day           date not null,
    events        bigint not null,
    value         numeric not null default 0,
    primary key (workspace_id, day, user_id, event_key, feature)
);
comment on table usage_days is 'What happened: one row a workspace, person, event, feature and UTC day. What the scoring engine sees.';
comment on column usage_days.user_id is 'The person as sent; product_users.canonical_id says who that is today.';
comment on column usage_days.value is 'Sum of the event''s numeric value: numeric, so that any order of additions gives the same sum.';

create table key_events (
    workspace_id  uuid not null,
    occurred_at   timestamptz not null,
    id            uuid not null,
    user_id       uuid not null,
    event_key     text not null,
    name          text not null,
    feature       text not null default '',
    value         double precision,
    properties    jsonb not null,
    source_id     uuid not null,
    inferred      text,
    primary key (workspace_id, occurred_at, id)
);
create index key_events_by_event on key_events (workspace_id, event_key, occurred_at);
comment on table key_events is 'The curated stream: key events stored whole, for timelines and evidence.';
comment on column key_events.inferred is 'How the workspace was found when the call did not name it: membership or last_group.';
