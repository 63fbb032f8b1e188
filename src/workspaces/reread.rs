//! Stored workspaces read again, after an update that reads traits otherwise.

use diesel::PgConnection;

use super::store;
use crate::error::Result;
use crate::ids::WorkspaceId;
use crate::ingest::chunk::Chunk;
use crate::plans;

/// Reads up to `limit` workspaces behind `after` again and writes those whose domains differ; the chunk has
/// their links weighed anew. Answers with the last one, none at the end.
///
/// # Errors
/// When the database fails.
pub fn reread(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    after: WorkspaceId,
    limit: i64,
) -> Result<Option<WorkspaceId>> {
    let stored = store::domains(conn, after, limit)?;
    let ids: Vec<WorkspaceId> = stored.iter().map(|row| row.id).collect();
    let known = store::load(conn, &ids)?;
    let plans = plans::ops::load(conn)?;
    let today = chunk.now.date_naive();
    let mut changed = Vec::new();
    for row in &stored {
        let Some(workspace) = known.get(&row.id) else { continue };
        if !row.holds(&workspace.facts(&plans)) {
            chunk.relink.insert(row.id);
            chunk.touch(row.id, today);
            changed.push(workspace.clone());
        }
    }
    store::upsert(conn, &changed, &plans)?;
    Ok(ids.last().copied())
}
