drop index notifications_by_member;
