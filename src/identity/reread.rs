//! Stored people read again, after an update that reads traits otherwise.

use diesel::PgConnection;

use super::heard::address_of_id;
use super::{store, store_reread};
use crate::error::Result;
use crate::ids::UserId;
use crate::ingest::chunk::Chunk;

/// Reads up to `limit` people behind `after` again and writes those whose facts differ; the chunk carries
/// them on to contacts, workspaces and accounts. Answers with the last one, none at the end.
///
/// # Errors
/// When the database fails.
pub fn reread(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    after: UserId,
    limit: i64,
) -> Result<Option<UserId>> {
    let stored = store_reread::facts(conn, after, limit)?;
    let people = store::load(conn, stored.keys())?;
    let (mut changed, mut addresses) = (Vec::new(), Vec::new());
    for (id, person) in people {
        let facts = person.facts();
        if stored.get(&id).is_some_and(|stored| stored.holds(&facts)) {
            continue;
        }
        let address = address_of_id(&person.external_id).filter(|_| person.known);
        addresses.extend(address.map(|email| (id, email.address)));
        if let Some(domain) = person.company_domain() {
            let first = chunk.named.entry(domain).or_insert(person.first_seen_at);
            *first = person.first_seen_at.min(*first);
        }
        chunk.person_changed(id, person.first_seen_at.date_naive());
        changed.push(person);
    }
    changed.sort_unstable_by_key(|person| person.id);
    store::upsert(conn, &changed)?;
    addresses.sort_unstable();
    store_reread::add_addresses(conn, &addresses)?;
    Ok(stored.keys().max().copied())
}
