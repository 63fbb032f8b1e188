drop table identity_changes;
drop table merge_evidence;
drop index merge_candidates_other;
drop index merge_candidates_open;
alter table merge_candidates drop column decided_on, drop column evidence, drop column confidence;
alter table identifiers drop column said_by;
drop table identity_claims;
alter table product_users drop column linked_id;
