-- What a score depends on and changes with time, by the day from which it holds. What is stored now is
-- taken to have held from the beginning, so that no past score moves until something new is said.

create table trait_days (
    subject_id  uuid not null,
    day         date not null,
    traits      jsonb not null,
    trait_times jsonb not null,
    primary key (subject_id, day)
);
alter table trait_days set (fillfactor = 70);
comment on table trait_days is 'What was said on a UTC day about a product user, a workspace or an account: the newest value of each trait. All days up to one make the traits as of that day.';
comment on column trait_days.subject_id is 'The id of a product user, a workspace or an account; ids are hashes, so they never meet.';
comment on column trait_days.trait_times is 'When each trait was said, as in product_users.trait_times. Rows of 1970-01-01 hold what was stored before days were kept; their times are the true ones.';

create table membership_days (
    workspace_id uuid not null,
    user_id      uuid not null,
    day          date not null,
    role         text,
    role_at      timestamptz,
    role_seq     bigint not null default 0,
    persona      text,
    persona_at   timestamptz,
    persona_seq  bigint not null default 0,
    grouped_at   timestamptz,
    group_seq    bigint not null default 0,
    left_at      timestamptz,
    left_seq     bigint not null default 0,
    primary key (workspace_id, user_id, day)
);
alter table membership_days set (fillfactor = 70);
comment on table membership_days is 'What was said on a UTC day about a membership: the newest role and persona, the newest group() call and the newest leaving.';

comment on column membership_days.role_seq is 'The place of the statement among those of the same time; as all of these numbers here.';

-- Of people only what scores read: see identity::person::DATED.
insert into trait_days (subject_id, day, traits, trait_times)
select p.id, date '1970-01-01',
       (select coalesce(jsonb_object_agg(t.key, t.value), '{}') from jsonb_each(p.traits) t
        where t.key = any(d.names)),
       (select jsonb_object_agg(t.key, t.value) from jsonb_each(p.trait_times) t
        where t.key = any(d.names))
from product_users p,
     (select array['email', 'email_address', 'email_domain', 'title', 'job_title', 'seniority',
                   'department'] as names) d
where p.kind = 'known' and p.trait_times ?| d.names;

insert into trait_days (subject_id, day, traits, trait_times)
select id, date '1970-01-01', traits, trait_times from workspaces where trait_times <> '{}'
union all
select id, date '1970-01-01', traits, trait_times from accounts where trait_times <> '{}';

insert into membership_days (workspace_id, user_id, day, role, role_at, persona, persona_at)
select workspace_id, user_id, date '1970-01-01', case when role_at is not null then role end, role_at,
       persona, coalesce(persona_at, case when persona is not null then joined_at end)
from memberships where role_at is not null or persona is not null;

insert into membership_days (workspace_id, user_id, day, grouped_at)
select workspace_id, user_id, (last_group_at at time zone 'UTC')::date, last_group_at
from memberships where last_group_at is not null
on conflict (workspace_id, user_id, day) do update set grouped_at = excluded.grouped_at;

insert into membership_days (workspace_id, user_id, day, left_at)
select workspace_id, user_id, (left_at at time zone 'UTC')::date, left_at
from memberships where left_at is not null
on conflict (workspace_id, user_id, day) do update set left_at = excluded.left_at;
