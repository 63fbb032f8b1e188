-- The page of notifications shows one's own, read or not, newest first.
create index notifications_by_member on notifications (member_id, created_at desc, id desc);
