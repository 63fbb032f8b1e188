//! The SQL of replays: who asked for which letters, how far it is, and what came of each.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::store_dead_letters::Chosen;
use crate::error::{Error, Result};
use crate::team::audit::Actor;

/// A replay as it stands.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Replay {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Who asked for it.
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Jsonb)]
    chosen: Value,
    /// Letters that were open at the start, as far as they were counted.
    #[diesel(sql_type = BigInt)]
    pub letters: i64,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// The last letter that was tried.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub beyond: Option<Uuid>,
    /// When all letters were tried; the drainer may still have some in hand.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
}

impl Replay {
    /// Which letters are meant.
    ///
    /// # Errors
    /// Internal, when the row is damaged.
    pub fn chosen(&self) -> Result<Chosen> {
        serde_json::from_value(self.chosen.clone()).map_err(Error::internal)
    }
}

/// Writes a replay down, to be done.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    by: &Actor,
    chosen: &Chosen,
    letters: i64,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into ingest_replays (id, actor_id, actor, chosen, letters, started_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(by.id)
    .bind::<Text, _>(&by.name)
    .bind::<Jsonb, _>(serde_json::to_value(chosen).map_err(Error::internal)?)
    .bind::<BigInt, _>(letters)
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    Ok(())
}

/// A replay, held against others that would go on with it.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Replay> {
    Ok(diesel::sql_query("select * from ingest_replays where id = $1 for update")
        .bind::<SqlUuid, _>(id)
        .get_result(conn)?)
}

/// Notes how far it is.
///
/// # Errors
/// When the database fails.
pub fn advance(
    conn: &mut PgConnection,
    id: Uuid,
    beyond: Option<Uuid>,
    finished_at: Option<DateTime<Utc>>,
) -> Result<()> {
    diesel::sql_query(
        "update ingest_replays set beyond = coalesce($2, beyond), finished_at = $3 where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(beyond)
    .bind::<Nullable<Timestamptz>, _>(finished_at)
    .execute(conn)?;
    Ok(())
}

/// What a replay did with a letter: the event's id for the drainer, or why the parser refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub letter: Uuid,
    pub outcome: Result<Uuid, (String, String)>,
}

/// Notes what became of letters.
///
/// # Errors
/// When the database fails.
pub fn note(
    conn: &mut PgConnection,
    replay: Uuid,
    attempts: &[Attempt],
    at: DateTime<Utc>,
) -> Result<()> {
    let refused = |attempt: &Attempt| attempt.outcome.clone().err();
    diesel::sql_query(
        "insert into dead_letter_attempts (replay_id, letter_id, attempted_at, event_id, code, message)
         select $1, letter_id, $2, event_id, code, message
         from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as t (letter_id, event_id, code, message)",
    )
    .bind::<SqlUuid, _>(replay)
    .bind::<Timestamptz, _>(at)
    .bind::<Array<SqlUuid>, _>(attempts.iter().map(|attempt| attempt.letter).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        attempts.iter().map(|attempt| attempt.outcome.as_ref().ok().copied()).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        attempts.iter().map(|attempt| refused(attempt).map(|why| why.0)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        attempts.iter().map(|attempt| refused(attempt).map(|why| why.1)).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    Ok(())
}

/// How a replay stands, letters counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Standing {
    /// Tried so far.
    #[diesel(sql_type = BigInt)]
    pub tried: i64,
    /// Of these, open again, or still: by the parser or the drainer.
    #[diesel(sql_type = BigInt)]
    pub refused: i64,
    /// Whether the drainer may still have some of them in hand.
    #[diesel(sql_type = Bool)]
    pub draining: bool,
}

/// A replay and how it stands.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn standing(conn: &mut PgConnection, id: Uuid) -> Result<(Replay, Standing)> {
    let replay: Replay = diesel::sql_query("select * from ingest_replays where id = $1")
        .bind::<SqlUuid, _>(id)
        .get_result(conn)?;
    // A group() may have placed an event since, or somebody discarded it: it is not open any more.
    let standing = diesel::sql_query(
        "select count(*) as tried,
                count(*) filter (where a.event_id is null or l.id is not null) as refused,
                exists (select from journal_pending where received_at <= $2) as draining
         from dead_letter_attempts a
         left join dead_letters l on l.id = a.event_id and l.replayed_at is null and l.discarded_at is null
         where a.replay_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(replay.finished_at.unwrap_or(replay.started_at))
    .get_result(conn)?;
    Ok((replay, standing))
}

/// The newest replays, newest first.
///
/// # Errors
/// When the database fails.
pub fn newest(conn: &mut PgConnection, limit: i64) -> Result<Vec<Replay>> {
    Ok(diesel::sql_query("select * from ingest_replays order by id desc limit $1")
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// One of a letter's replays.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Tried {
    #[diesel(sql_type = SqlUuid)]
    pub replay_id: Uuid,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Timestamptz)]
    pub attempted_at: DateTime<Utc>,
    /// The parser's reason; none when the event went into the journal.
    #[diesel(sql_type = Nullable<Text>)]
    pub message: Option<String>,
    /// The open dead letter that the drainer made of it.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub refused_as: Option<Uuid>,
}

/// The replays of a letter, newest first.
///
/// # Errors
/// When the database fails.
pub fn attempts(conn: &mut PgConnection, letter: Uuid) -> Result<Vec<Tried>> {
    Ok(diesel::sql_query(
        "select a.replay_id, r.actor, a.attempted_at, a.message, l.id as refused_as
         from dead_letter_attempts a
         join ingest_replays r on r.id = a.replay_id
         left join dead_letters l on l.id = a.event_id and l.replayed_at is null and l.discarded_at is null
         where a.letter_id = $1 order by a.attempted_at desc, a.replay_id desc limit 50",
    )
    .bind::<SqlUuid, _>(letter)
    .load(conn)?)
}
