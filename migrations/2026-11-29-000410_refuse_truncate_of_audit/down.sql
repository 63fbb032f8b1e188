drop trigger audit_entries_no_truncate on audit_entries;
