//! The SQL that keeps contacts as the users of the product say.

use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::UserId;

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = SqlUuid)]
    contact_id: Uuid,
}

/// The contact that each of these people is, by the current e-mail; none for visitors, shared inboxes
/// and throw-away addresses.
const WANTED: &str = "wanted as (
    select u.id as user_id, md5('contact:' || u.email)::uuid as contact_id, u.email, u.email_kind, u.domain
    from product_users u
    where u.id = any($1) and u.kind = 'known' and u.email is not null and u.domain is not null
      and u.email_kind in ('corporate', 'personal'))";

/// Maps these people to their contacts; contacts without anybody left go.
///
/// # Errors
/// When the database fails.
pub fn follow(conn: &mut PgConnection, people: &[UserId]) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let left: Vec<Left> = diesel::sql_query(format!(
        "with {WANTED}
         delete from contact_users c where c.user_id = any($1)
           and not exists (select 1 from wanted w where w.user_id = c.user_id and w.contact_id = c.contact_id)
         returning c.contact_id"
    ))
    .bind::<Array<SqlUuid>, _>(people)
    .load(conn)?;
    diesel::sql_query(format!(
        "with {WANTED}, made as (
             insert into contacts (id, email, email_kind, domain)
             select distinct contact_id, email, email_kind, domain from wanted order by contact_id
             on conflict do nothing)
         insert into contact_users (user_id, contact_id)
         select user_id, contact_id from wanted order by user_id on conflict do nothing"
    ))
    .bind::<Array<SqlUuid>, _>(people)
    .execute(conn)?;
    if left.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from contacts c where c.id = any($1)
           and not exists (select 1 from contact_users u where u.contact_id = c.id)",
    )
    .bind::<Array<SqlUuid>, _>(left.into_iter().map(|row| row.contact_id).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
