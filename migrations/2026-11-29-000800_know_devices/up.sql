create table known_devices (
    member_id     uuid not null references team_members (id) on delete cascade,
    token_hash    bytea not null,
    created_at    timestamptz not null,
    last_used_at  timestamptz not null,
    primary key (member_id, token_hash)
);
create index known_devices_token on known_devices (token_hash);
comment on table known_devices is 'Browsers in which a member signed in lately, by the SHA-256 of their device cookie. Failed sign-ins from one of them are counted apart, so that strangers who guess at the account do not slow it down.';
comment on column known_devices.last_used_at is 'The latest sign-in with it; forgotten 90 days later.';
