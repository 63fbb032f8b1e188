drop table contact_users;
drop table contacts;
