//! The SQL of reading stored accounts again.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::AccountId;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: AccountId,
}

/// Up to `limit` accounts behind `after`, by id.
///
/// # Errors
/// When the database fails.
pub fn page(conn: &mut PgConnection, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
    let rows: Vec<Id> =
        diesel::sql_query("select id from accounts where id > $1 order by id limit $2")
            .bind::<SqlUuid, _>(after)
            .bind::<BigInt, _>(limit)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// A domain and whose it is.
#[derive(Debug, QueryableByName)]
pub struct DomainRow {
    /// The domain.
    #[diesel(sql_type = Text)]
    pub domain: String,
    /// Its account.
    #[diesel(sql_type = SqlUuid)]
    pub account_id: AccountId,
}

/// The domains of these accounts.
///
/// # Errors
/// When the database fails.
pub fn domains(conn: &mut PgConnection, accounts: &[AccountId]) -> Result<Vec<DomainRow>> {
    Ok(diesel::sql_query(
        "select domain, account_id from account_domains where account_id = any($1) order by domain",
    )
    .bind::<Array<SqlUuid>, _>(accounts)
    .load(conn)?)
}

/// These domains are no account's any more.
///
/// # Errors
/// When the database fails.
pub fn remove_domains(conn: &mut PgConnection, domains: &[&str]) -> Result<()> {
    if domains.is_empty() {
        return Ok(());
    }
    diesel::sql_query("delete from account_domains where domain = any($1)")
        .bind::<Array<Text>, _>(domains)
        .execute(conn)?;
    Ok(())
}
