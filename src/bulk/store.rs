//! The SQL of records that no feature owns: which account an id of the CRM means.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::error::Result;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    account_id: String,
    #[diesel(sql_type = Text)]
    domain: String,
}

/// The domains of the accounts that go by these ids, in alphabetical order.
///
/// # Errors
/// When the database fails.
pub fn domains_by_account_id(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<BTreeMap<String, Vec<String>>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Named> = diesel::sql_query(
        "select traits ->> 'account_id' as account_id, primary_domain as domain from accounts
         where traits ? 'account_id' and traits ->> 'account_id' = any($1) and primary_domain is not null order by primary_domain",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        found.entry(row.account_id).or_default().push(row.domain);
    }
    Ok(found)
}
