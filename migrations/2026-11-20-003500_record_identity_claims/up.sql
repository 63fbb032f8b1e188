alter table product_users add column linked_id uuid;
update product_users set linked_id = canonical_id where linked_at is not null;
comment on column product_users.linked_id is 'Whom the standing claim, or a person''s merge, names directly; canonical_id is where following these ends.';
comment on column product_users.linked_at is 'The time of the call that stitched (the earliest wins when two claim one anonymous id), or of the merge.';
comment on column product_users.linked_by is 'identify, alias, or merge: which call or judgement linked.';

create table identity_claims (
    visitor_id  uuid not null,
    user_id     uuid not null,
    said_by     text not null constraint identity_claims_said_by check (said_by in ('identify', 'alias')),
    said_at     timestamptz not null,
    source_id   uuid not null,
    primary key (visitor_id, user_id, said_by)
);
create index identity_claims_user on identity_claims (user_id);
comment on table identity_claims is 'Every call that said an anonymous visitor is a known user, the earliest of each kind: the record of every stitch. Which of them stands follows from the whole set, so no order of arrival matters.';
insert into identity_claims (visitor_id, user_id, said_by, said_at, source_id)
select p.id, p.canonical_id, p.linked_by, p.linked_at,
       coalesce((select min(i.source_id::text)::uuid from identifiers i where i.user_id = p.id), '00000000-0000-0000-0000-000000000000')
from product_users p where p.kind = 'anonymous' and p.linked_by in ('identify', 'alias');

alter table identifiers add column said_by text;
comment on column identifiers.said_by is 'The call in which it was first seen; null when that was before calls were kept.';

create table merge_evidence (
    user_id    uuid not null,
    other_id   uuid not null,
    kind       text not null constraint merge_evidence_kind check (kind in ('sso', 'email', 'alias')),
    value      text not null,
    verified   boolean not null,
    seen_at    timestamptz not null,
    source_id  uuid not null,
    primary key (user_id, other_id, kind, value),
    constraint merge_evidence_order check (user_id < other_id)
);
create index merge_evidence_value on merge_evidence (kind, value);
comment on table merge_evidence is 'Why two known users may be one person: the same SSO subject or e-mail, or an alias call from one to the other.';
comment on column merge_evidence.value is 'The SSO subject, the e-mail, or the former user id of the alias call.';
comment on column merge_evidence.verified is 'E-mails: the product says of both users that it is verified.';
comment on column merge_evidence.seen_at is 'Since when both are known under it, by the time of the calls.';

alter table merge_candidates add column confidence smallint not null default 0;
alter table merge_candidates add column evidence text[] not null default '{}';
alter table merge_candidates add column decided_on text[];
comment on column merge_candidates.reason is 'The strongest kind of evidence.';
comment on column merge_candidates.confidence is 'Per cent, of all evidence together.';
comment on column merge_candidates.evidence is 'What speaks for it now, each as kind:value.';
comment on column merge_candidates.decided_on is 'The evidence as it was when a person decided: the pair is asked about again only when more comes.';
create index merge_candidates_open on merge_candidates (confidence desc, user_id, other_id) where decision is null;
create index merge_candidates_other on merge_candidates (other_id);
insert into merge_evidence (user_id, other_id, kind, value, verified, seen_at, source_id)
select m.user_id, m.other_id, 'email', a.value, false, greatest(a.first_seen_at, b.first_seen_at), a.source_id
from merge_candidates m
join identifiers a on a.kind = 'email' and a.user_id = m.user_id
join identifiers b on b.kind = 'email' and b.user_id = m.other_id and b.value = a.value;
update merge_candidates m set confidence = 60, evidence = (
    select coalesce(array_agg(e.kind || ':' || e.value order by e.kind, e.value), '{}')
    from merge_evidence e where (e.user_id, e.other_id) = (m.user_id, m.other_id));

create table identity_changes (
    id          uuid primary key,
    kind        text not null constraint identity_changes_kind check (kind in ('merge', 'split')),
    person_id   uuid not null,
    other_id    uuid not null,
    reason      text not null,
    moved       jsonb not null,
    decided_by  uuid,
    decided_at  timestamptz not null,
    undone_by   uuid,
    undone_at   timestamptz,
    constraint identity_changes_undone check ((undone_at is null) or (undone_at >= decided_at))
);
create unique index identity_changes_merged on identity_changes (person_id) where kind = 'merge' and undone_at is null;
create unique index identity_changes_split on identity_changes (person_id, other_id) where kind = 'split' and undone_at is null;
create index identity_changes_other on identity_changes (other_id, decided_at);
create index identity_changes_person on identity_changes (person_id, decided_at);
comment on table identity_changes is 'What people decided about who is who. A standing row overrules what calls say, in any order of arrival and after a rebuild.';
comment on column identity_changes.kind is 'merge: person_id is other_id, both known users. split: the anonymous person_id is not the known other_id, whatever calls say.';
comment on column identity_changes.moved is 'What the change moved when it was made: people, workspaces, active days, events, the earliest day.';
