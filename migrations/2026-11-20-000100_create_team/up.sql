create table team_members (
    id              uuid primary key,
    email           text not null constraint team_members_email_lower check (email = lower(email) and email like '%_@_%'),
    name            text not null constraint team_members_name_length check (length(name) between 1 and 200),
    role            text not null constraint team_members_role check (role in ('rep', 'manager', 'revops', 'admin')),
    function        text constraint team_members_function check (function in ('sdr', 'ae', 'csm')),
    team            text,
    territories     text[] not null default '{}',
    capacity        integer not null default 20 constraint team_members_capacity check (capacity between 0 and 10000),
    time_zone       text not null default 'UTC',
    work_starts     time not null default '09:00',
    work_ends       time not null default '17:00',
    work_days       integer[] not null default '{1,2,3,4,5}',
    password_hash   text,
    theme           text not null default 'system' constraint team_members_theme check (theme in ('system', 'light', 'dark')),
    shortcuts       boolean not null default true,
    created_at      timestamptz not null,
    deactivated_at  timestamptz,
    constraint team_members_email_key unique (email),
    constraint team_members_work_hours check (work_starts < work_ends)
);
comment on table team_members is 'People who sign in to Ripen. Never deleted: history names them.';
comment on column team_members.capacity is 'Open PQLs that this person can hold before routing passes them by.';
comment on column team_members.work_days is 'ISO weekdays, Monday = 1. SLA clocks run only in working hours.';
comment on column team_members.password_hash is 'argon2id, PHC string; null until the invite is accepted.';

create table absences (
    id         bigint generated always as identity primary key,
    member_id  uuid not null references team_members (id),
    from_on    date not null,
    to_on      date not null,
    constraint absences_order check (from_on <= to_on)
);
create index absences_member on absences (member_id, to_on);
comment on table absences is 'Out-of-office days, both ends included. Nobody absent is given work.';

create table invites (
    token_hash   bytea primary key,
    email        text not null constraint invites_email_lower check (email = lower(email)),
    name         text not null,
    role         text not null constraint invites_role check (role in ('rep', 'manager', 'revops', 'admin')),
    function     text constraint invites_function check (function in ('sdr', 'ae', 'csm')),
    invited_by   uuid not null references team_members (id),
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    accepted_at  timestamptz,
    revoked_at   timestamptz
);
create unique index invites_open_email on invites (email) where accepted_at is null and revoked_at is null;
comment on table invites is 'One-time links to join the team. Only the SHA-256 of the token is kept.';

create table setup_links (
    token_hash  bytea primary key,
    created_at  timestamptz not null,
    used_at     timestamptz
);
comment on table setup_links is 'The one-time link, printed in the log, that makes the first admin.';

create table sessions (
    token_hash    bytea primary key,
    member_id     uuid references team_members (id),
    state         jsonb not null,
    created_at    timestamptz not null,
    last_seen_at  timestamptz not null,
    expires_at    timestamptz not null,
    user_agent    text not null default '',
    address       text not null default ''
);
create index sessions_member on sessions (member_id);
create index sessions_expiry on sessions (expires_at);
comment on table sessions is 'Signed-in browsers, by the SHA-256 of their token. Idle 12 h, absolute 7 d.';

create table sign_in_attempts (
    id       bigint generated always as identity primary key,
    subject  text not null,
    at       timestamptz not null
);
create index sign_in_attempts_subject on sign_in_attempts (subject, at);
comment on table sign_in_attempts is 'Failed sign-ins by account (hashed) and by address; the throttle counts them.';

create table audit_entries (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,
    actor_id      uuid references team_members (id),
    actor         text not null,
    action        text not null,
    subject_kind  text not null,
    subject_id    text not null,
    detail        jsonb not null default '{}'
);
create index audit_entries_subject on audit_entries (subject_kind, subject_id, id desc);
comment on table audit_entries is 'Who changed what: configuration, ownership, merges, exports, sign-ins. Inserts only.';
comment on column audit_entries.actor is 'The name at that time; system for Ripen itself.';

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit entries are never changed or deleted';
end $$;
create trigger audit_entries_insert_only before update or delete on audit_entries
    for each row execute function refuse_audit_change();
