//! The role as which Ripen works in its private PostgreSQL: no superuser, so that nothing in it gets
//! past the database's own rules; owner of all tables, as migrations need, except of the audit log, of
//! which it can only read and add entries. Database and schema stay the superuser's, since whoever owns
//! these could drop the log.
//!
//! Every start sees to it, since data directories of earlier versions belong to the superuser.

use diesel::connection::SimpleConnection;
use diesel::result::QueryResult;
use diesel::{PgConnection, RunQueryDsl};

use super::DATABASE;

/// Ripen's role.
pub const ROLE: &str = "ripen_app";

/// Held by whoever prepares the role; the number is "role" in ASCII.
const LOCK: i64 = 0x72_6f_6c_65;

/// Makes the role and the database unless they are there, in a connection of the superuser to another
/// database.
pub(super) fn ensure(admin: &mut PgConnection) -> QueryResult<()> {
    admin.batch_execute(&format!(
        "do $$ begin \
           if not exists (select from pg_roles where rolname = '{ROLE}') then \
             create role {ROLE} login nosuperuser nocreatedb nocreaterole noreplication; \
           end if; \
         end $$"
    ))?;
    let exists =
        diesel::sql_query(format!("select 1 from pg_database where datname = '{DATABASE}'"))
            .execute(admin)?
            > 0;
    if !exists {
        admin.batch_execute(&format!("create database {DATABASE}"))?;
    }
    Ok(())
}

/// Gives the role what is in the database, in a connection of the superuser to it. Changes nothing when
/// it has all of it already.
pub(super) fn own_everything(admin: &mut PgConnection) -> QueryResult<()> {
    admin.batch_execute(&OWN.replace("{ROLE}", ROLE))
}

/// Takes the audit log out of the role's hands: it reads and adds entries, and can neither change nor
/// remove them nor switch off what refuses that.
pub(super) fn seal_audit(admin: &mut PgConnection) -> QueryResult<()> {
    admin.batch_execute(&format!(
        "do $$ begin \
           if exists (select from pg_class where oid = to_regclass('audit_entries') \
                      and pg_get_userbyid(relowner) = '{ROLE}') then \
             alter table audit_entries owner to current_user; \
             alter function refuse_audit_change() owner to current_user; \
             revoke all on audit_entries from {ROLE}; \
             grant select, insert on audit_entries to {ROLE}; \
           end if; \
         end $$"
    ))
}

/// Waits until no other process changes what belongs to whom, until this connection ends.
pub(super) fn lock(admin: &mut PgConnection) -> QueryResult<()> {
    admin.batch_execute(&format!("select pg_advisory_lock({LOCK})"))
}

/// Gives it back for a migration.
pub(super) fn unseal_audit(admin: &mut PgConnection) -> QueryResult<()> {
    admin.batch_execute(&format!(
        "do $$ begin \
           if to_regclass('audit_entries') is not null then \
             alter table audit_entries owner to {ROLE}; \
             alter function refuse_audit_change() owner to {ROLE}; \
           end if; \
         end $$"
    ))
}

const OWN: &str = r"
do $$
declare one record;
begin
  if not has_database_privilege('{ROLE}', current_database(), 'create') then
    execute format('grant all on database %I to {ROLE}', current_database());
  end if;
  if not has_schema_privilege('{ROLE}', 'public', 'create') then
    grant all on schema public to {ROLE};
  end if;
  for one in
    select n.nspname as name from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public')
      and pg_get_userbyid(n.nspowner) <> '{ROLE}'
  loop
    execute format('alter schema %I owner to {ROLE}', one.name);
  end loop;
  for one in
    select c.oid::regclass as name,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
        when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and pg_get_userbyid(c.relowner) <> '{ROLE}'
      and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relname <> 'audit_entries'
      and not (c.relkind = 'S' and exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')))
  loop
    execute format('alter %s %s owner to {ROLE}', one.kind, one.name);
  end loop;
  for one in
    select p.oid::regprocedure as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and pg_get_userbyid(p.proowner) <> '{ROLE}' and p.proname <> 'refuse_audit_change'
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass
        and d.objid = p.oid and d.deptype = 'e')
  loop
    execute format('alter routine %s owner to {ROLE}', one.name);
  end loop;
  for one in
    select t.oid::regtype as name from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and t.typtype in ('d', 'e') and pg_get_userbyid(t.typowner) <> '{ROLE}'
  loop
    execute format('alter type %s owner to {ROLE}', one.name);
  end loop;
  if exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relname = 'audit_entries' and n.nspname = 'public'
               and pg_get_userbyid(c.relowner) <> '{ROLE}') then
    grant select, insert on audit_entries to {ROLE};
  end if;
end $$";
