create table product_users (
    id             uuid primary key,
    kind           text not null constraint product_users_kind check (kind in ('known', 'anonymous')),
    external_id    text not null,
    canonical_id   uuid not null,
    linked_at      timestamptz,
    linked_by      text,
    email          text,
    email_kind     text not null default 'unknown' constraint product_users_email_kind check (email_kind in ('corporate', 'personal', 'disposable', 'role', 'unknown')),
    domain         text,
    name           text,
    job_title      text,
    seniority      text,
    department     text,
    traits         jsonb not null default '{}',
    trait_times    jsonb not null default '{}',
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    constraint product_users_external_key unique (kind, external_id)
);
create index product_users_canonical on product_users (canonical_id);
create index product_users_domain on product_users (domain) where domain is not null;
create index product_users_email on product_users (email) where email is not null;
comment on table product_users is 'People in the product, known or anonymous. The id is a hash of kind and external id, so any order of events gives the same ids.';
comment on column product_users.canonical_id is 'Who this person is after stitching; its own id when nobody else. Usage rows keep the id they came with, so a stitch moves the past by changing only this.';
comment on column product_users.linked_at is 'The time of the call that stitched; the earliest wins when two claim one anonymous id.';
comment on column product_users.trait_times is 'Trait to the microsecond it was last set: the newest wins, whatever the order of arrival.';

create table identifiers (
    kind           text not null constraint identifiers_kind check (kind in ('user_id', 'sso', 'email', 'anonymous_id')),
    value          text not null,
    user_id        uuid not null,
    first_seen_at  timestamptz not null,
    source_id      uuid not null,
    primary key (kind, value, user_id)
);
create index identifiers_user on identifiers (user_id);
comment on table identifiers is 'Every name under which a person was seen, and since when.';

create table merge_candidates (
    user_id      uuid not null,
    other_id     uuid not null,
    reason       text not null,
    seen_at      timestamptz not null,
    decided_at   timestamptz,
    decision     text constraint merge_candidates_decision check (decision in ('merged', 'kept_apart')),
    primary key (user_id, other_id),
    constraint merge_candidates_order check (user_id < other_id)
);
comment on table merge_candidates is 'Two known users that may be one person: never merged without a person''s judgement.';
