//! The SQL of refused requests.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::SourceId;
use crate::schema::refused_requests;

/// Kinds that are kept.
const KEEP: i64 = 200;

const ADD: &str = "insert into refused_requests
    (id, source_id, code, message, method, path, key_start, sender, requests, first_at, last_at)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::bigint[], $10::timestamptz[], $11::timestamptz[])
on conflict (id) do update set
    message = excluded.message,
    requests = refused_requests.requests + excluded.requests,
    last_at = greatest(refused_requests.last_at, excluded.last_at)";

/// A kind of refused request, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = refused_requests)]
pub struct Entry {
    /// Whose key it was, if it opened.
    pub source_id: Option<SourceId>,
    /// As the sender heard it.
    pub code: String,
    /// As the sender heard it.
    pub message: String,
    pub method: String,
    pub path: String,
    /// See [`super::refusals::key_start`].
    pub key_start: Option<String>,
    /// Its User-Agent.
    pub sender: Option<String>,
    pub requests: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

impl Entry {
    /// The id of the kind.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let source = self.source_id.map(|id| id.to_string()).unwrap_or_default();
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let parts = [
            source,
            self.code.clone(),
            self.method.clone(),
            self.path.clone(),
            optional(&self.key_start),
            optional(&self.sender),
        ];
        Uuid::new_v5(&Uuid::NAMESPACE_OID, parts.join("\u{0}").as_bytes())
    }
}

/// Adds to what is known of these kinds, and forgets those that are above [`KEEP`], oldest first: each
/// of those with a key that opens, with one that does not and without, so that a stranger who tries
/// paths does not push out what a customer has to see.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut PgConnection, entries: &[Entry]) -> Result<()> {
    fn each<'a, T>(entries: &'a [Entry], of: impl Fn(&'a Entry) -> T) -> Vec<T> {
        entries.iter().map(of).collect()
    }
    diesel::sql_query(ADD)
        .bind::<Array<SqlUuid>, _>(each(entries, Entry::id))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(entries, |e| e.source_id))
        .bind::<Array<Text>, _>(each(entries, |e| e.code.as_str()))
        .bind::<Array<Text>, _>(each(entries, |e| e.message.as_str()))
        .bind::<Array<Text>, _>(each(entries, |e| e.method.as_str()))
        .bind::<Array<Text>, _>(each(entries, |e| e.path.as_str()))
        .bind::<Array<Nullable<Text>>, _>(each(entries, |e| e.key_start.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(each(entries, |e| e.sender.as_deref()))
        .bind::<Array<BigInt>, _>(each(entries, |e| e.requests))
        .bind::<Array<Timestamptz>, _>(each(entries, |e| e.first_at))
        .bind::<Array<Timestamptz>, _>(each(entries, |e| e.last_at))
        .execute(conn)?;
    diesel::sql_query(
        "delete from refused_requests where id in
             (select id from
                  (select id, row_number() over (partition by source_id is null, key_start is null
                                                 order by last_at desc, id) as place
                   from refused_requests) r
              where place > $1)",
    )
    .bind::<BigInt, _>(KEEP)
    .execute(conn)?;
    Ok(())
}

/// What was refused since then under a key of this source, or under a key that opened nothing; newest
/// first, at most so many kinds.
///
/// # Errors
/// When the database fails.
pub fn of_source(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
    at_most: i64,
) -> Result<Vec<Entry>> {
    use refused_requests as r;
    Ok(r::table
        .filter(r::last_at.ge(since))
        .filter(r::source_id.is_null().or(r::source_id.eq(source)))
        .order((r::last_at.desc(), r::id))
        .limit(at_most)
        .select(Entry::as_select())
        .load(conn)?)
}
