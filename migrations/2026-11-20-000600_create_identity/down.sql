drop table merge_candidates;
drop table identifiers;
drop table product_users;
