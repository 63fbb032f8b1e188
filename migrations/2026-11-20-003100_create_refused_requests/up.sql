create table refused_requests (
    id         uuid primary key,
    source_id  uuid references sources (id),
    code       text not null,
    message    text not null,
    method     text not null,
    path       text not null,
    key_start  text,
    sender     text,
    requests   bigint not null,
    first_at   timestamptz not null,
    last_at    timestamptz not null
);
create index refused_requests_age on refused_requests (last_at);
comment on table refused_requests is 'Requests of SDKs that were refused whole, counted by what was wrong: so that whoever connects a product sees why nothing arrives. The 200 newest kinds are kept.';
comment on column refused_requests.id is 'A hash of what makes the kind: source, code, method, path, key_start, sender.';
comment on column refused_requests.source_id is 'Whose write key it was; null when the key opened nothing or was not looked at.';
comment on column refused_requests.key_start is 'The beginning of the write key that was sent, never the whole: 11 characters of one of ours, 4 of anything else.';
comment on column refused_requests.sender is 'The User-Agent header, shortened.';
