create trigger audit_entries_no_truncate before truncate on audit_entries
    for each statement execute function refuse_audit_change();
