//! Rows that are pending though the journal does not have them: somebody deleted them by hand, or a
//! disk lost them. Nothing can bring them back; what Ripen can do is say so and go on.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::chunk::Refusal;
use super::store_drain;
use crate::error::Result;
use crate::ids::SourceId;

/// An acknowledged request of which only the note is left.
#[derive(Debug, QueryableByName)]
struct Lost {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Int4)]
    events: i32,
    #[diesel(sql_type = SqlUuid)]
    source_id: SourceId,
}

/// Makes a dead letter of each of these pending rows that the journal does not have. Whose it was the
/// minute of its receipt tells, as far as anything does.
///
/// # Errors
/// When the database fails.
pub fn bury(conn: &mut PgConnection, ids: &[i64]) -> Result<()> {
    let lost: Vec<Lost> = diesel::sql_query(
        "select p.id, p.received_at, p.events, coalesce(
             (select m.source_id from ingest_minutes m join sources s on s.id = m.source_id
              where m.minute = date_trunc('minute', p.received_at) order by m.accepted desc, 1 limit 1),
             (select id from sources order by created_at, id limit 1)) as source_id
         from journal_pending p
         where p.id = any($1)
           and not exists (select from journal j where j.received_on = p.received_on and j.id = p.id)
         order by p.id",
    )
    .bind::<diesel::sql_types::Array<BigInt>, _>(ids)
    .load(conn)?;
    let letters: Vec<Refusal> = lost.iter().map(letter).collect();
    for row in &lost {
        tracing::error!(
            journal_id = row.id, events = row.events, received_at = %row.received_at,
            "an acknowledged request is not in the journal any more: its events are lost"
        );
    }
    store_drain::bury(conn, &letters)
}

fn letter(row: &Lost) -> Refusal {
    Refusal {
        id: Uuid::new_v5(&row.source_id.0, format!("journal row {}", row.id).as_bytes()),
        source: row.source_id,
        received_at: row.received_at,
        code: "internal",
        message: format!(
            "{} events of one request were acknowledged and are not in the journal any more: somebody \
             deleted its rows, or the disk lost them. Restore a backup, or have the product send them again.",
            row.events
        ),
        message_id: None,
        event_name: None,
        person: None,
        raw: format!("{{\"journal_id\":{}}}", row.id),
    }
}
