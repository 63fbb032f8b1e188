drop table assignments;
drop table account_owners;
drop table pool_members;
drop table pools;
