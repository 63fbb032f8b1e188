//! Stored accounts read again, after an update that reads domains otherwise.

use std::collections::BTreeSet;

use diesel::PgConnection;

use super::icp::IcpDefinition;
use super::{store, store_links, store_reread};
use crate::error::Result;
use crate::identity::domain::company_domain;
use crate::ids::AccountId;
use crate::ingest::chunk::Chunk;

/// Reads up to `limit` accounts behind `after` again: domains that are no company's any more lead nowhere, names
/// and facts follow from the traits. The chunk has the links of their workspaces weighed anew. Answers with
/// the last account, none at the end.
///
/// # Errors
/// When the database fails.
pub fn reread(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    after: AccountId,
    limit: i64,
) -> Result<Option<AccountId>> {
    let ids = store_reread::page(conn, after, limit)?;
    let domains = store_reread::domains(conn, &ids)?;
    let refused: Vec<&str> = domains
        .iter()
        .filter(|row| company_domain(&row.domain).as_deref() != Some(row.domain.as_str()))
        .map(|row| row.domain.as_str())
        .collect();
    let without: BTreeSet<AccountId> = domains
        .iter()
        .filter(|row| refused.contains(&row.domain.as_str()))
        .map(|row| row.account_id)
        .collect();
    store_reread::remove_domains(conn, &refused)?;
    let today = chunk.now.date_naive();
    for workspace in store_links::linked(conn, &without)? {
        chunk.relink.insert(workspace);
        chunk.touch(workspace, today);
    }
    let all: BTreeSet<AccountId> = ids.iter().copied().collect();
    for workspace in store::settle_facts(conn, &all, &IcpDefinition::default())? {
        chunk.touch(workspace, today);
    }
    Ok(ids.last().copied())
}
