drop table notifications;
drop table tasks;
