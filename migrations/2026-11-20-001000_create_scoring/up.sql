create table scoring_models (
    version       integer primary key,
    name          text not null,
    document      jsonb not null,
    base_version  integer,
    edits         integer not null default 0,
    created_by    text not null,
    created_at    timestamptz not null,
    published_by  text,
    published_at  timestamptz,
    reason        text
);
create unique index scoring_models_one_draft on scoring_models ((published_at is null)) where published_at is null;
comment on table scoring_models is 'Scoring models, one row a version. Published ones never change; at most one is a draft.';
comment on column scoring_models.edits is 'Counts the saves of a draft, so that two editors notice each other.';

create table touched_workspaces (
    id            bigint generated always as identity primary key,
    workspace_id  uuid not null,
    since_on      date not null,
    touched_at    timestamptz not null
);
comment on table touched_workspaces is 'Workspaces whose score may have changed, and from which day on. Inserted only, several rows a workspace: an upsert would make the drainer wait for the scorer.';

create table workspace_scores (
    workspace_id          uuid primary key,
    as_of                 date not null,
    model_version         integer not null,
    score                 integer not null constraint workspace_scores_range check (score between 0 and 10000),
    stage                 text not null,
    stage_since           timestamptz not null,
    score_1d              integer,
    score_7d              integer,
    lead_user_id          uuid,
    flags                 text[] not null default '{}',
    reasons               text[] not null default '{}',
    next_best_action      text,
    card                  jsonb not null,
    signals               jsonb not null,
    sparkline             integer[] not null default '{}',
    plan_tier             text,
    paid_status           text,
    trial_end_on          date,
    icp_fit_tier          text,
    wau                   integer not null default 0,
    member_count          integer not null default 0,
    seats                 integer not null default 0,
    high_intent_14d       integer not null default 0,
    last_active_at        timestamptz,
    scored_at             timestamptz not null
);
create index workspace_scores_score on workspace_scores (score desc, workspace_id);
create index workspace_scores_stage on workspace_scores (stage, score desc, workspace_id);
create index workspace_scores_change on workspace_scores ((score - coalesce(score_7d, score)) desc, workspace_id);
create index workspace_scores_active on workspace_scores (last_active_at desc nulls last, workspace_id);
comment on table workspace_scores is 'The serving copy of the newest score: what lists, filters and pages read. Written only by the scorer.';
comment on column workspace_scores.score is 'Hundredths of a point.';
comment on column workspace_scores.card is 'The whole scorecard: categories, ledger, reasons, change.';
comment on column workspace_scores.signals is 'Every field of the signal dictionary as of that day.';

create table score_history (
    workspace_id   uuid not null,
    day            date not null,
    score          integer not null,
    stage          text not null,
    categories     jsonb not null,
    model_version  integer not null,
    primary key (workspace_id, day)
);
comment on table score_history is 'The score of each day, as last computed for that day.';

create table account_scores (
    account_id           uuid primary key,
    as_of                date not null,
    score                integer not null,
    stage                text not null,
    workspaces           integer not null,
    best_workspace_score integer not null,
    card                 jsonb not null,
    scored_at            timestamptz not null
);
create index account_scores_score on account_scores (score desc, account_id);
comment on table account_scores is 'The same engine over the union of an account''s production workspaces.';

create table stage_changes (
    id             uuid primary key,
    workspace_id   uuid not null,
    from_stage     text not null,
    to_stage       text not null,
    score          integer not null,
    model_version  integer not null,
    changed_at     timestamptz not null
);
create index stage_changes_workspace on stage_changes (workspace_id, changed_at desc);
comment on table stage_changes is 'When a workspace crossed a threshold.';
