//! The one statement that acknowledges: journal rows, what is pending of them, and counts.
//!
//! It runs some hundred times a second, and PostgreSQL takes longer to understand it than to do it.
//! So it is a query that Diesel prepares once a connection, which it does not do for text.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bytea, Date, Int4, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

use crate::ids::SourceId;

/// What a group of requests writes, column by column: the rows of the journal, and for each source
/// and minute how many events were accepted and refused.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the columns of journal and ingest_minutes")]
pub struct Group {
    pub days: Vec<NaiveDate>,
    pub received: Vec<DateTime<Utc>>,
    pub sources: Vec<SourceId>,
    pub events: Vec<i32>,
    pub payloads: Vec<Vec<u8>>,
    pub counted_sources: Vec<SourceId>,
    pub counted_minutes: Vec<DateTime<Utc>>,
    pub accepted: Vec<i64>,
    pub rejected: Vec<i64>,
}

impl QueryId for Group {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Group {}

impl QueryFragment<Pg> for Group {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "with appended as (
                insert into journal (received_on, received_at, source_id, events, payload)
                select * from unnest(",
        );
        out.push_bind_param::<Array<Date>, _>(&self.days)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.received)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.sources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Int4>, _>(&self.events)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bytea>, _>(&self.payloads)?;
        out.push_sql(
            ") returning id, received_on, received_at, events
            ), listed as (
                insert into journal_pending (id, received_on, received_at, events)
                select id, received_on, received_at, events from appended
            )
            insert into ingest_minutes (source_id, minute, accepted, rejected)
            select * from unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.counted_sources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.counted_minutes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.accepted)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.rejected)?;
        out.push_sql(
            ") on conflict (source_id, minute) do update set
                accepted = ingest_minutes.accepted + excluded.accepted,
                rejected = ingest_minutes.rejected + excluded.rejected",
        );
        Ok(())
    }
}
