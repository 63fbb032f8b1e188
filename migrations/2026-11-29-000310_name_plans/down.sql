update workspaces set plan_tier = null where plan_tier = 'unknown';
alter table workspaces drop constraint workspaces_plan;
alter table workspaces add constraint workspaces_plan check (plan_tier in ('free', 'trial', 'pro', 'enterprise'));
drop table plan_names;
