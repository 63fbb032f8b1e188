drop table account_links;
drop table account_domains;
drop table accounts;
