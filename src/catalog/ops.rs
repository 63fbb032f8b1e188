//! What is done with the catalog.

use diesel::PgConnection;

use super::event::Catalog;
use super::{defaults, store};
use crate::error::Result;

/// Puts the default catalog in when there is none; called at every start, inside a transaction.
///
/// # Errors
/// When the database fails.
pub fn seed(conn: &mut PgConnection) -> Result<()> {
    store::insert_when_empty(conn, &defaults::definitions())
}

/// The catalog as it is now.
///
/// # Errors
/// When the database fails.
pub fn load(conn: &mut PgConnection) -> Result<Catalog> {
    Ok(Catalog::new(store::definitions(conn)?))
}
