create table routing_rule_sets (
    version       integer primary key,
    document      jsonb not null,
    created_by    text not null,
    created_at    timestamptz not null,
    published_at  timestamptz
);
comment on table routing_rule_sets is 'Ordered routing rules, one row a version; published ones never change.';

create table routing_decisions (
    id                uuid primary key,
    workspace_id      uuid not null,
    rule_set_version  integer not null,
    model_version     integer not null,
    score             integer not null,
    rule_name         text not null,
    destination       text not null constraint routing_decisions_destination check (destination in ('sdr', 'ae', 'csm', 'lifecycle_email', 'in_app', 'nurture', 'none')),
    owner_id          uuid references team_members (id),
    unowned_reason    text,
    sla_hours         integer,
    trace             jsonb not null,
    facts             jsonb not null,
    decided_at        timestamptz not null
);
create index routing_decisions_workspace on routing_decisions (workspace_id, decided_at desc, id desc);
comment on table routing_decisions is 'Where a workspace was sent and why: every rule with the values it saw, every candidate and why not.';
