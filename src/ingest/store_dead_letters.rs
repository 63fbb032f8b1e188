//! The SQL of dead letters: what was refused and waits for a person.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::SourceId;
use crate::schema::dead_letters;

/// An event that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = dead_letters)]
pub struct DeadLetter {
    pub id: Uuid,
    pub source_id: SourceId,
    pub received_at: DateTime<Utc>,
    /// `parser` or `drainer`.
    pub refused_by: String,
    pub code: String,
    pub message: String,
    pub message_id: Option<String>,
    pub event_name: Option<String>,
    pub raw: String,
    pub replayed_at: Option<DateTime<Utc>>,
    pub discarded_at: Option<DateTime<Utc>>,
    pub discard_reason: Option<String>,
}

impl DeadLetter {
    /// Whether it still waits for a person.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.replayed_at.is_none() && self.discarded_at.is_none()
    }
}

/// Open dead letters with one code.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Group {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = BigInt)]
    pub letters: i64,
    #[diesel(sql_type = Timestamptz)]
    pub first_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_at: DateTime<Utc>,
    /// The newest one's message.
    #[diesel(sql_type = Text)]
    pub message: String,
}

/// Which open dead letters are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// This one.
    One(Uuid),
    /// All with this code.
    Group(String),
    /// All received since.
    Since(DateTime<Utc>),
}

/// Where a page of letters goes on: the last one shown.
pub type After = (DateTime<Utc>, Uuid);

/// Open dead letters by code, the biggest group first.
///
/// # Errors
/// When the database fails.
pub fn groups(conn: &mut PgConnection) -> Result<Vec<Group>> {
    Ok(diesel::sql_query(
        "select code, count(*) as letters, min(received_at) as first_at, max(received_at) as last_at,
                (array_agg(message order by received_at desc))[1] as message
         from dead_letters where replayed_at is null and discarded_at is null
         group by code order by letters desc, code",
    )
    .load(conn)?)
}

/// Open dead letters, newest first; of one code when given.
///
/// # Errors
/// When the database fails.
pub fn page(
    conn: &mut PgConnection,
    code: Option<&str>,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<DeadLetter>> {
    let mut query = dead_letters::table.select(DeadLetter::as_select()).into_boxed();
    query = query
        .filter(dead_letters::replayed_at.is_null())
        .filter(dead_letters::discarded_at.is_null());
    if let Some(code) = code {
        query = query.filter(dead_letters::code.eq(code.to_owned()));
    }
    if let Some((at, id)) = after {
        query = query.filter(
            dead_letters::received_at
                .lt(at)
                .or(dead_letters::received_at.eq(at).and(dead_letters::id.lt(id))),
        );
    }
    Ok(query
        .order((dead_letters::received_at.desc(), dead_letters::id.desc()))
        .limit(limit)
        .load(conn)?)
}

/// One dead letter, open or not.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<DeadLetter> {
    Ok(dead_letters::table.find(id).select(DeadLetter::as_select()).first(conn)?)
}

/// Takes up to `limit` of the chosen open letters with an id beyond `beyond`, locked until the
/// transaction ends; those that another person is replaying at this moment are left out.
///
/// # Errors
/// When the database fails.
pub fn claim(
    conn: &mut PgConnection,
    chosen: &Chosen,
    beyond: Option<Uuid>,
    limit: i64,
) -> Result<Vec<DeadLetter>> {
    let open = dead_letters::table
        .filter(dead_letters::replayed_at.is_null())
        .filter(dead_letters::discarded_at.is_null())
        .filter(dead_letters::id.gt(beyond.unwrap_or_else(Uuid::nil)))
        .select(DeadLetter::as_select())
        .order(dead_letters::id)
        .limit(limit)
        .for_update()
        .skip_locked();
    Ok(match chosen {
        Chosen::One(id) => open.filter(dead_letters::id.eq(*id)).load(conn)?,
        Chosen::Group(code) => open.filter(dead_letters::code.eq(code)).load(conn)?,
        Chosen::Since(at) => open.filter(dead_letters::received_at.ge(*at)).load(conn)?,
    })
}

/// Notes that these went into the journal.
///
/// # Errors
/// When the database fails.
pub fn mark_replayed(conn: &mut PgConnection, ids: &[Uuid], at: DateTime<Utc>) -> Result<()> {
    diesel::update(dead_letters::table.filter(dead_letters::id.eq_any(ids)))
        .set(dead_letters::replayed_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Notes that the parser refused this one again, and why this time.
///
/// # Errors
/// When the database fails.
pub fn refuse_again(conn: &mut PgConnection, id: Uuid, code: &str, message: &str) -> Result<()> {
    diesel::update(dead_letters::table.find(id))
        .set((dead_letters::code.eq(code), dead_letters::message.eq(message)))
        .execute(conn)?;
    Ok(())
}

/// Puts the chosen open letters away for good; tells how many.
///
/// # Errors
/// When the database fails.
pub fn discard(
    conn: &mut PgConnection,
    chosen: &Chosen,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<usize> {
    let change =
        (dead_letters::discarded_at.eq(at), dead_letters::discard_reason.eq(reason.to_owned()));
    let open = dead_letters::table
        .filter(dead_letters::replayed_at.is_null())
        .filter(dead_letters::discarded_at.is_null());
    Ok(match chosen {
        Chosen::One(id) => {
            diesel::update(open.filter(dead_letters::id.eq(*id))).set(change).execute(conn)?
        }
        Chosen::Group(code) => {
            diesel::update(open.filter(dead_letters::code.eq(code))).set(change).execute(conn)?
        }
        Chosen::Since(since) => diesel::update(open.filter(dead_letters::received_at.ge(*since)))
            .set(change)
            .execute(conn)?,
    })
}

/// Open dead letters of one source since then, by code, the newest group first.
///
/// # Errors
/// When the database fails.
pub fn groups_of(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
) -> Result<Vec<Group>> {
    Ok(diesel::sql_query(
        "select code, count(*) as letters, min(received_at) as first_at, max(received_at) as last_at,
                (array_agg(message order by received_at desc))[1] as message
         from dead_letters
         where replayed_at is null and discarded_at is null and source_id = $1 and received_at >= $2
         group by code order by last_at desc, code",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Timestamptz, _>(since)
    .load(conn)?)
}

/// Takes back the letters of events that waited for a workspace and count nowhere any more.
///
/// # Errors
/// When the database fails.
pub fn withdraw(conn: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "delete from dead_letters where id = any($1) and code = 'missing_workspace'
         and replayed_at is null and discarded_at is null",
    )
    .bind::<diesel::sql_types::Array<diesel::sql_types::Uuid>, _>(ids)
    .execute(conn)?;
    Ok(())
}
