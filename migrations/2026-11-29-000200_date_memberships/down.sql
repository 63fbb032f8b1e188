delete from memberships m using product_users p where p.id = m.user_id and p.kind = 'anonymous';
drop table visitor_memberships;
drop table membership_changes;
alter table memberships drop column role_seq, drop column persona_seq, drop column group_seq, drop column left_seq;
alter table inferred_events drop column seq;
alter table group_calls drop column seq;
