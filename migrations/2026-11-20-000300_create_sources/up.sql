create table sources (
    id           uuid primary key,
    name         text not null constraint sources_name_length check (length(name) between 1 and 200),
    environment  text not null default 'production',
    created_at   timestamptz not null,
    disabled_at  timestamptz,
    constraint sources_name_key unique (name)
);
comment on table sources is 'One product in one environment that sends events.';

create table write_keys (
    id            uuid primary key,
    source_id     uuid not null references sources (id),
    prefix        text not null,
    key_hash      bytea not null constraint write_keys_hash_key unique,
    created_at    timestamptz not null,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);
create index write_keys_source on write_keys (source_id);
comment on table write_keys is 'What an SDK signs in with. Shown once; only the SHA-256 and a prefix are kept.';

create table api_keys (
    id            uuid primary key,
    name          text not null,
    prefix        text not null,
    key_hash      bytea not null constraint api_keys_hash_key unique,
    scopes        text[] not null constraint api_keys_scopes check (scopes <@ array['read', 'write', 'admin'] and cardinality(scopes) > 0),
    created_at    timestamptz not null,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);
comment on table api_keys is 'What a script signs in to the JSON API with.';
