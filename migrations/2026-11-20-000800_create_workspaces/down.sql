drop table subscriptions;
drop table memberships;
drop table workspaces;
