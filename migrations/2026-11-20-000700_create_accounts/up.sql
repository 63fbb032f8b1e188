create table accounts (
    id               uuid primary key,
    name             text not null,
    primary_domain   text constraint accounts_domain_key unique,
    industry         text,
    sub_industry     text,
    employee_count   integer,
    country          text,
    region           text,
    tech_stack       text[] not null default '{}',
    segment          text constraint accounts_segment check (segment in ('self_serve', 'smb', 'mid_market', 'enterprise')),
    territory        text,
    is_strategic     boolean not null default false,
    lifecycle_stage  text not null default 'prospect',
    icp_fit_score    integer constraint accounts_icp_score check (icp_fit_score between 0 and 100),
    icp_fit_tier     text constraint accounts_icp_tier check (icp_fit_tier in ('A', 'B', 'C')),
    traits           jsonb not null default '{}',
    trait_times      jsonb not null default '{}',
    created_at       timestamptz not null
);
create index accounts_name on accounts (lower(name), id);
comment on table accounts is 'Companies that can be sold to. Made from the corporate domain of a sign-up; the id is a hash of the domain.';

create table account_domains (
    domain      text primary key,
    account_id  uuid not null references accounts (id)
);
create index account_domains_account on account_domains (account_id);
comment on table account_domains is 'Every known domain of an account.';

create table account_links (
    workspace_id  uuid primary key,
    account_id    uuid references accounts (id),
    confidence    integer not null constraint account_links_confidence check (confidence between 0 and 100),
    evidence      jsonb not null,
    pinned_by     uuid references team_members (id),
    decided_at    timestamptz not null
);
create index account_links_account on account_links (account_id);
comment on table account_links is 'Which account a workspace belongs to and why. 80 and above links, 50 to 79 waits for a person, below stays unlinked.';
comment on column account_links.confidence is 'Percent: 1 - prod(1 - weight) over the evidence.';
comment on column account_links.pinned_by is 'A link made by a person is never changed by evidence.';
