create table plan_names (
    id               boolean primary key default true constraint plan_names_single check (id),
    lists            jsonb,
    version          integer not null default 1,
    applied_version  integer not null default 0,
    changed_at       timestamptz
);
comment on table plan_names is 'Which names of plans are of which tier; one row.';
comment on column plan_names.lists is 'Words by list: not_paid, trial, free, pro, enterprise; null for those that Ripen comes with.';
comment on column plan_names.applied_version is 'The version by which workspaces.plan_tier and the subscriptions of traits were last made.';
-- Of a new installation nothing has to be made again.
insert into plan_names (applied_version) select case when exists (select from workspaces) then 0 else 1 end;

alter table workspaces drop constraint workspaces_plan;
alter table workspaces add constraint workspaces_plan check (plan_tier in ('free', 'trial', 'pro', 'enterprise', 'unknown'));
