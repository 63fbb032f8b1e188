drop index seen_messages_age;
create index seen_messages_age on seen_messages (received_on);
alter table usage_days reset (fillfactor);
alter table workspaces reset (fillfactor);
alter table memberships reset (fillfactor);
alter table product_users reset (fillfactor);
