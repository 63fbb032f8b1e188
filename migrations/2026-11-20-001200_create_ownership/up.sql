create table pools (
    id        uuid primary key,
    key       text not null constraint pools_key_key unique,
    name      text not null,
    function  text not null constraint pools_function check (function in ('sdr', 'ae', 'csm'))
);
comment on table pools is 'Groups of members that share work by round robin.';

create table pool_members (
    pool_id           uuid not null references pools (id),
    member_id         uuid not null references team_members (id),
    last_assigned_at  timestamptz,
    primary key (pool_id, member_id)
);
comment on table pool_members is 'Who is in a pool; the least recently assigned of the eligible is next.';

create table account_owners (
    account_id  uuid primary key,
    member_id   uuid not null references team_members (id),
    since       timestamptz not null
);
create index account_owners_member on account_owners (member_id);
comment on table account_owners is 'Who owns an account, and with it its new workspaces'' PQLs.';

create table assignments (
    id            uuid primary key,
    workspace_id  uuid not null,
    member_id     uuid not null references team_members (id),
    assigned_by   uuid references team_members (id),
    source        text not null constraint assignments_source check (source in ('routing', 'manager', 'self')),
    decision_id   uuid,
    assigned_at   timestamptz not null,
    accepted_at   timestamptz,
    ended_at      timestamptz,
    end_reason    text
);
create unique index assignments_current on assignments (workspace_id) where ended_at is null;
create index assignments_member on assignments (member_id) where ended_at is null;
comment on table assignments is 'Who owns a workspace, as dated rows: at most one is open.';
comment on column assignments.assigned_by is 'Null when routing did it.';
