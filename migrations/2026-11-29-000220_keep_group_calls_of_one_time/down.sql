delete from group_calls g using group_calls later
where later.user_id = g.user_id and later.at = g.at and later.workspace_id = g.workspace_id and later.seq > g.seq;
alter table group_calls drop constraint group_calls_pkey, add primary key (user_id, at, workspace_id);
