//! People become contacts, by the address that they have now.

use diesel::PgConnection;

use super::store;
use crate::error::Result;
use crate::ids::UserId;
use crate::ingest::chunk::Chunk;

/// The projection of contacts: only people about whom something new was said.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let people: Vec<UserId> = chunk.changed_people.keys().copied().collect();
    store::follow(conn, &people)
}
