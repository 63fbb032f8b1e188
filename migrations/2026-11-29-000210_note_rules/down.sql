drop table rules_updates;
alter table journal_chunks drop column rules;
