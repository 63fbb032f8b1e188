create table tasks (
    id             uuid primary key,
    workspace_id   uuid not null,
    assignee_id    uuid not null references team_members (id),
    kind           text not null constraint tasks_kind check (kind in ('pql')),
    title          text not null,
    payload        jsonb not null,
    priority       integer not null default 2 constraint tasks_priority check (priority between 1 and 3),
    due_at         timestamptz,
    decision_id    uuid,
    created_at     timestamptz not null,
    snoozed_until  timestamptz,
    completed_at   timestamptz,
    completed_by   uuid references team_members (id),
    outcome        text constraint tasks_outcome check (outcome in ('contacted', 'qualified', 'not_now', 'wrong_fit', 'withdrawn', 'reassigned')),
    note           text not null default ''
);
create unique index tasks_one_open_pql on tasks (workspace_id) where kind = 'pql' and completed_at is null;
create index tasks_inbox on tasks (assignee_id, due_at) where completed_at is null;
create index tasks_done on tasks (assignee_id, completed_at desc) where completed_at is not null;
create index tasks_workspace on tasks (workspace_id, created_at desc);
comment on table tasks is 'What a rep has to do: whom to call and why. One open PQL task a workspace.';
comment on column tasks.payload is 'The handoff: reasons, last key events, admins and champions, opener, approach.';

create table notifications (
    id          uuid primary key,
    member_id   uuid not null references team_members (id),
    kind        text not null,
    title       text not null,
    url         text not null,
    created_at  timestamptz not null,
    read_at     timestamptz
);
create index notifications_unread on notifications (member_id, created_at desc) where read_at is null;
comment on table notifications is 'What a person is told inside the product.';
