//! The SQL of dead letters: what was refused and waits for a person.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::SourceId;
use crate::schema::dead_letters;

/// An event that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = dead_letters)]
#[diesel(check_for_backend(diesel::pg::Pg))]
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
    /// As it came.
    pub raw: String,
    /// As a person mended it.
    pub mended: Option<String>,
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

    /// What a replay sends.
    #[must_use]
    pub fn text(&self) -> &str {
        self.mended.as_deref().unwrap_or(&self.raw)
    }
}

/// Which open dead letters are meant: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// The event's name; empty for letters without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Received then or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Left over by this replay: tried by it, and open again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Uuid>,
}

impl Chosen {
    /// This one letter.
    #[must_use]
    pub fn one(id: Uuid) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    /// All with this code.
    #[must_use]
    pub fn group(code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..Self::default() }
    }

    /// All received since.
    #[must_use]
    pub fn since(at: DateTime<Utc>) -> Self {
        Self { since: Some(at), ..Self::default() }
    }

    /// Whether nothing is asked, so that every open letter is meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a page of letters goes on: the last one shown.
pub type After = (DateTime<Utc>, Uuid);

/// `$1` to `$6`: which open letters are meant. Each that is null asks nothing.
const MEANT: &str = "l.replayed_at is null and l.discarded_at is null
    and ($1 is null or l.id = $1) and ($2 is null or l.code = $2) and ($3 is null or l.source_id = $3)
    and ($4 is null or coalesce(l.event_name, '') = $4) and ($5 is null or l.received_at >= $5)
    and ($6 is null or l.id in (select a.letter_id from dead_letter_attempts a where a.replay_id = $6
                                union select a.event_id from dead_letter_attempts a where a.replay_id = $6))";

/// Binds `$1` to `$6` of [`MEANT`].
macro_rules! meant {
    ($query:expr, $chosen:expr) => {
        $query
            .bind::<Nullable<SqlUuid>, _>($chosen.id)
            .bind::<Nullable<Text>, _>($chosen.code.as_deref())
            .bind::<Nullable<SqlUuid>, _>($chosen.source)
            .bind::<Nullable<Text>, _>($chosen.event.as_deref())
            .bind::<Nullable<Timestamptz>, _>($chosen.since)
            .bind::<Nullable<SqlUuid>, _>($chosen.replay)
    };
}

/// Open dead letters of one kind: code, source and event name.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Kind {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = SqlUuid)]
    pub source_id: SourceId,
    /// Empty for letters without one.
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = BigInt)]
    pub letters: i64,
    #[diesel(sql_type = Timestamptz)]
    pub first_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_at: DateTime<Utc>,
}

/// Every kind of open dead letter, those of a code together, the most frequent first. Reads
/// `dead_letters_groups` alone.
///
/// # Errors
/// When the database fails.
pub fn kinds(conn: &mut PgConnection) -> Result<Vec<Kind>> {
    Ok(diesel::sql_query(
        "select code, source_id, coalesce(event_name, '') as event, count(*) as letters,
                min(received_at) as first_at, max(received_at) as last_at
         from dead_letters where replayed_at is null and discarded_at is null
         group by code, source_id, event_name order by code, letters desc, source_id, event_name",
    )
    .load(conn)?)
}

/// Open dead letters of each source that has some; counting ends at `at_most` each.
///
/// # Errors
/// When the database fails.
pub fn by_source(conn: &mut PgConnection, at_most: i64) -> Result<Vec<(SourceId, i64)>> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = SqlUuid)]
        id: SourceId,
        #[diesel(sql_type = BigInt)]
        letters: i64,
    }
    let counted: Vec<Counted> = diesel::sql_query(
        "select s.id, c.letters from sources s cross join lateral (
             select count(*) as letters from (
                 select from dead_letters l where l.source_id = s.id
                 and l.replayed_at is null and l.discarded_at is null limit $1) as few) c
         where c.letters > 0",
    )
    .bind::<BigInt, _>(at_most)
    .load(conn)?;
    Ok(counted.into_iter().map(|row| (row.id, row.letters)).collect())
}

/// How many open letters of a code were received on a day.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct CodeDay {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub letters: i64,
}

/// Open letters by code and UTC day since `since`; days without any are missing.
///
/// # Errors
/// When the database fails.
pub fn days(conn: &mut PgConnection, since: NaiveDate) -> Result<Vec<CodeDay>> {
    Ok(diesel::sql_query(
        "select code, (received_at at time zone 'UTC')::date as day, count(*) as letters
         from dead_letters where replayed_at is null and discarded_at is null and received_at >= $1
         group by 1, 2 order by 1, 2",
    )
    .bind::<Timestamptz, _>(since.and_time(chrono::NaiveTime::MIN).and_utc())
    .load(conn)?)
}

/// The newest open letter of each of these codes.
///
/// # Errors
/// When the database fails.
pub fn samples(conn: &mut PgConnection, codes: &[String]) -> Result<Vec<DeadLetter>> {
    codes
        .iter()
        .filter_map(|code| {
            page(conn, &Chosen::group(code), None, 1).map(|mut page| page.pop()).transpose()
        })
        .collect()
}

/// How many open letters are meant; counting ends at `at_most`.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut PgConnection, chosen: &Chosen, at_most: i64) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        letters: i64,
    }
    let query = diesel::sql_query(format!(
        "select count(*) as letters from (select from dead_letters l where {MEANT} limit $7) as few"
    ));
    Ok(meant!(query, chosen).bind::<BigInt, _>(at_most).get_result::<Counted>(conn)?.letters)
}

/// Open dead letters that are meant, newest first.
///
/// # Errors
/// When the database fails.
pub fn page(
    conn: &mut PgConnection,
    chosen: &Chosen,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<DeadLetter>> {
    let query = diesel::sql_query(format!(
        "select l.* from dead_letters l
         where {MEANT} and ($7 is null or (l.received_at, l.id) < ($7, $8))
         order by l.received_at desc, l.id desc limit $9"
    ));
    Ok(meant!(query, chosen)
        .bind::<Nullable<Timestamptz>, _>(after.map(|after| after.0))
        .bind::<Nullable<SqlUuid>, _>(after.map(|after| after.1))
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// One dead letter, open or not.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<DeadLetter> {
    Ok(dead_letters::table.find(id).select(DeadLetter::as_select()).first(conn)?)
}

/// Takes up to `limit` of the open letters that are meant, received until `until`, with an id beyond
/// `beyond`, locked until the transaction ends; those that somebody else replays at this moment are
/// left out.
///
/// # Errors
/// When the database fails.
pub fn claim(
    conn: &mut PgConnection,
    chosen: &Chosen,
    until: DateTime<Utc>,
    beyond: Option<Uuid>,
    limit: i64,
) -> Result<Vec<DeadLetter>> {
    let query = diesel::sql_query(format!(
        "select l.* from dead_letters l
         where {MEANT} and l.received_at <= $7 and l.id > $8
         order by l.id limit $9 for update of l skip locked"
    ));
    Ok(meant!(query, chosen)
        .bind::<Timestamptz, _>(until)
        .bind::<SqlUuid, _>(beyond.unwrap_or_else(Uuid::nil))
        .bind::<BigInt, _>(limit)
        .load(conn)?)
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

/// Keeps the text that a person mended; false when the letter is not open any more.
///
/// # Errors
/// When the database fails.
pub fn mend(conn: &mut PgConnection, id: Uuid, text: &str) -> Result<bool> {
    let open = dead_letters::table
        .find(id)
        .filter(dead_letters::replayed_at.is_null())
        .filter(dead_letters::discarded_at.is_null());
    Ok(diesel::update(open).set(dead_letters::mended.eq(text)).execute(conn)? == 1)
}

/// Puts the open letters that are meant away for good; tells how many.
///
/// # Errors
/// When the database fails.
pub fn discard(
    conn: &mut PgConnection,
    chosen: &Chosen,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<usize> {
    let query = diesel::sql_query(format!(
        "update dead_letters l set discarded_at = $7, discard_reason = $8 where {MEANT}"
    ));
    Ok(meant!(query, chosen).bind::<Timestamptz, _>(at).bind::<Text, _>(reason).execute(conn)?)
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
