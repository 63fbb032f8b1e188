drop table refused_requests;
