-- Of two statements of the same time the later receipt, and within one request the later item, is the
-- newer: their sequence numbers. What is stored now has 0 and so is older than anything of its time.
alter table group_calls add column seq bigint not null default 0;
comment on column group_calls.seq is 'Place among statements of the same time: by receipt, then by place in the request.';
alter table inferred_events add column seq bigint not null default 0;
comment on column inferred_events.seq is 'As in group_calls: which group() calls of the same time came before the event.';
alter table memberships
    add column role_seq bigint not null default 0,
    add column persona_seq bigint not null default 0,
    add column group_seq bigint not null default 0,
    add column left_seq bigint not null default 0;
comment on column memberships.role_seq is 'Place of the statement of role_at among those of the same time; likewise persona_seq, group_seq (last_group_at) and left_seq.';

create table membership_changes (
    user_id      uuid not null,
    at           timestamptz not null,
    workspace_id uuid not null,
    is_left      boolean not null,
    seq          bigint not null default 0,
    primary key (user_id, at, workspace_id, is_left)
);
comment on table membership_changes is 'When a person, known or anonymous, left a workspace, or was said by a record to be in it: with group_calls and joined_at the times in which memberships held, by which events without a workspace are attributed.';
insert into membership_changes (user_id, at, workspace_id, is_left)
select user_id, left_at, workspace_id, true from memberships where left_at is not null;

create table visitor_memberships (like memberships including defaults including constraints including storage,
    primary key (workspace_id, user_id));
alter table visitor_memberships set (fillfactor = 70);
create index visitor_memberships_user on visitor_memberships (user_id);
comment on table visitor_memberships is 'What events said about anonymous visitors in workspaces. While a visitor is stitched to a user the row stands in memberships, too.';

-- What visitors said by group() so far; of those who are users by now it makes memberships.
insert into visitor_memberships (workspace_id, user_id, joined_at, first_group_at, last_group_at)
select g.workspace_id, g.user_id, min(g.at), min(g.at), max(g.at)
from group_calls g join product_users p on p.id = g.user_id and p.kind = 'anonymous'
group by g.workspace_id, g.user_id;

insert into memberships (workspace_id, user_id, joined_at, left_at, first_group_at, last_group_at)
select v.workspace_id, v.user_id, v.joined_at, case when k.left_at >= v.last_group_at then k.left_at end,
       v.first_group_at, v.last_group_at
from visitor_memberships v
join product_users p on p.id = v.user_id and p.canonical_id <> p.id
left join memberships k on k.workspace_id = v.workspace_id and k.user_id = p.linked_id
on conflict do nothing;
