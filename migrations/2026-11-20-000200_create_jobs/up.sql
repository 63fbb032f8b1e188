create table jobs (
    id            bigint generated always as identity primary key,
    kind          text not null,
    payload       jsonb not null default '{}',
    dedupe_key    text,
    run_at        timestamptz not null,
    attempts      integer not null default 0 constraint jobs_attempts check (attempts between 0 and 25),
    lease_until   timestamptz,
    done          bigint not null default 0,
    total         bigint,
    last_error    text,
    created_at    timestamptz not null,
    finished_at   timestamptz,
    died_at       timestamptz
);
create unique index jobs_dedupe on jobs (kind, dedupe_key) where finished_at is null and died_at is null;
create index jobs_due on jobs (run_at, id) where finished_at is null and died_at is null;
comment on table jobs is 'Work to do once: claimed with SKIP LOCKED, leased, fenced by the attempt number.';
comment on column jobs.done is 'Progress: so many of total.';

create table schedules (
    name         text primary key,
    last_run_at  timestamptz not null
);
comment on table schedules is 'When each schedule last put its job into the queue; two servers never do so twice.';
