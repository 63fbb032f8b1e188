drop table audit_entries;
drop table sign_in_attempts;
drop table sessions;
drop table setup_links;
drop table invites;
drop table absences;
drop table team_members;
drop function refuse_audit_change();
