drop index workspaces_sso_domain;
drop index workspaces_billing_domain;
drop index workspaces_website_domain;
alter table workspaces drop column website_domain;
alter table memberships drop column persona_at;
alter table memberships drop column explicit_active_at;
drop table visits;
drop table inferred_events;
drop table group_calls;
