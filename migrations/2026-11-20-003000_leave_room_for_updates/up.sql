-- Rows that are updated again and again: with room on their page, an update touches no index (HOT).
-- Measured: half the processor time of draining one row. New pages only; the others follow as their
-- rows move.
alter table product_users set (fillfactor = 70);
alter table memberships set (fillfactor = 70);
alter table workspaces set (fillfactor = 80);
alter table usage_days set (fillfactor = 90);

-- Only forgetting asks for the age of known messages, and rows lie in the order of their days.
drop index seen_messages_age;
create index seen_messages_age on seen_messages using brin (received_on) with (autosummarize = on);
