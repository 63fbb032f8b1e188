-- group(A), group(B), group(A) of one time: which one came before an event is told by every one of their
-- sequence numbers, not by the last of each workspace.
alter table group_calls drop constraint group_calls_pkey, add primary key (user_id, at, workspace_id, seq);
