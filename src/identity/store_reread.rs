//! The SQL of reading stored people again.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};

use super::person::Facts;
use crate::error::Result;
use crate::ids::UserId;

/// What is stored of the facts that traits say.
#[derive(Clone, Debug, QueryableByName)]
pub struct Stored {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Text)]
    email_kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    job_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    seniority: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    department: Option<String>,
}

impl Stored {
    /// Whether these facts are stored already.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        self.email_kind == facts.email_kind
            && (&self.email, &self.domain, &self.name, &self.job_title)
                == (&facts.email, &facts.domain, &facts.name, &facts.job_title)
            && (&self.seniority, &self.department) == (&facts.seniority, &facts.department)
    }
}

/// The stored facts of up to `limit` people behind `after`, by id.
///
/// # Errors
/// When the database fails.
pub fn facts(
    conn: &mut PgConnection,
    after: UserId,
    limit: i64,
) -> Result<HashMap<UserId, Stored>> {
    let rows: Vec<Stored> = diesel::sql_query(
        "select id, email, email_kind, domain, name, job_title, seniority, department
         from product_users where id > $1 order by id limit $2",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Users whose id is an address are known under it as long as under their id.
///
/// # Errors
/// When the database fails.
pub fn add_addresses(conn: &mut PgConnection, addresses: &[(UserId, String)]) -> Result<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into identifiers (kind, value, user_id, first_seen_at, source_id, said_by)
         select 'email', t.address, i.user_id, i.first_seen_at, i.source_id, i.said_by
         from unnest($1::uuid[], $2::text[]) as t (user_id, address)
         join identifiers i on i.user_id = t.user_id and i.kind = 'user_id'
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(addresses.iter().map(|(user, _)| *user).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(
        addresses.iter().map(|(_, address)| address.as_str()).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}
