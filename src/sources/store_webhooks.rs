//! The SQL of webhook endpoints, their secrets and what came to them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::signature::Secret;
use crate::error::Result;
use crate::ids::{MemberId, SourceId};

/// What kind of deliveries an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Stripe's events.
    Stripe,
    /// Events signed by Standard Webhooks.
    Events,
}

impl Kind {
    /// The word in the database and in the address.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Events => "events",
        }
    }
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "columns of webhook_endpoints")]
pub struct Endpoint {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_id: Option<SourceId>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub livemode: Option<bool>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub revoked_at: Option<DateTime<Utc>>,
}

const ENDPOINT: &str =
    "select id, kind, name, source_id, livemode, created_at, revoked_at from webhook_endpoints";

/// Every endpoint, the open ones first, by name.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut PgConnection) -> Result<Vec<Endpoint>> {
    Ok(diesel::sql_query(format!("{ENDPOINT} order by revoked_at is not null, name, id"))
        .load(conn)?)
}

/// One endpoint.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Endpoint> {
    Ok(diesel::sql_query(format!("{ENDPOINT} where id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn)?)
}

/// The endpoint of a kind, open or closed.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there was never one.
pub fn of_kind(conn: &mut PgConnection, id: Uuid, kind: Kind) -> Result<Endpoint> {
    Ok(diesel::sql_query(format!("{ENDPOINT} where id = $1 and kind = $2"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(kind.key())
        .get_result(conn)?)
}

/// Adds an endpoint.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut PgConnection, endpoint: &Endpoint) -> Result<()> {
    diesel::sql_query(
        "insert into webhook_endpoints (id, kind, name, source_id, livemode, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlUuid, _>(endpoint.id)
    .bind::<Text, _>(&endpoint.kind)
    .bind::<Text, _>(&endpoint.name)
    .bind::<Nullable<SqlUuid>, _>(endpoint.source_id)
    .bind::<Nullable<Bool>, _>(endpoint.livemode)
    .bind::<Timestamptz, _>(endpoint.created_at)
    .execute(conn)?;
    Ok(())
}

/// Closes an endpoint and empties its secrets; tells whether it was open.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    diesel::sql_query(
        "update webhook_secrets set secret = '', expires_at = least(expires_at, $2) where endpoint_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    let closed = diesel::sql_query(
        "update webhook_endpoints set revoked_at = $2 where id = $1 and revoked_at is null",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    Ok(closed == 1)
}

/// A secret as it is listed: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "columns of webhook_secrets")]
pub struct Listed {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub endpoint_id: Uuid,
    #[diesel(sql_type = Text)]
    pub hint: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub created_by: Option<MemberId>,
}

/// The secrets of all endpoints, the newest first.
///
/// # Errors
/// When the database fails.
pub fn secrets(conn: &mut PgConnection) -> Result<Vec<Listed>> {
    Ok(diesel::sql_query(
        "select id, endpoint_id, hint, created_at, expires_at, last_used_at, created_by from webhook_secrets
         order by created_at desc, id",
    )
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    secret: String,
}

/// The secrets with which deliveries may be signed now, the newest first.
///
/// # Errors
/// When the database fails.
pub fn valid(
    conn: &mut PgConnection,
    endpoint: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, Secret)>> {
    let held: Vec<Held> = diesel::sql_query(
        "select id, secret from webhook_secrets
         where endpoint_id = $1 and secret <> '' and (expires_at is null or expires_at > $2)
         order by created_at desc, id",
    )
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now)
    .load(conn)?;
    Ok(held.into_iter().map(|one| (one.id, Secret::new(one.secret))).collect())
}

/// Keeps a secret; those before it hold until `others_until`.
///
/// # Errors
/// When the database fails.
pub fn add_secret(
    conn: &mut PgConnection,
    id: Uuid,
    endpoint: Uuid,
    secret: &Secret,
    created_by: Option<MemberId>,
    others_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "update webhook_secrets set expires_at = least(expires_at, $2) where endpoint_id = $1",
    )
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(others_until)
    .execute(conn)?;
    diesel::sql_query(
        "insert into webhook_secrets (id, endpoint_id, secret, hint, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Text, _>(secret.reveal())
    .bind::<Text, _>(secret.hint())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(created_by)
    .execute(conn)?;
    Ok(())
}

/// Notes that a delivery was signed with a secret, to ten seconds: deliveries do not wait for each
/// other over it.
///
/// # Errors
/// When the database fails.
pub fn used(conn: &mut PgConnection, secret: Uuid, now: DateTime<Utc>) -> Result<()> {
    diesel::sql_query(
        "update webhook_secrets set last_used_at = $2
         where id in (select id from webhook_secrets
                      where id = $1 and (last_used_at is null or last_used_at < $2 - interval '10 seconds')
                      for update skip locked)",
    )
    .bind::<SqlUuid, _>(secret)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Waits for what others hold for at most ten seconds from here on, in this transaction: by then the
/// sender better tries again than holds a connection.
///
/// # Errors
/// When the database fails.
pub fn wait_no_longer(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("set local lock_timeout = '10s'").execute(conn)?;
    Ok(())
}

/// Notes that a delivery was taken; tells whether it is the first of that `webhook-id`. Waits for
/// another one of the same id, should it be on its way.
///
/// # Errors
/// When the database fails.
pub fn is_first(
    conn: &mut PgConnection,
    endpoint: Uuid,
    webhook_id: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let noted = diesel::sql_query(
        "insert into webhook_ids (id, received_at) values ($1, $2) on conflict (id) do nothing",
    )
    .bind::<SqlUuid, _>(Uuid::new_v5(&endpoint, webhook_id.as_bytes()))
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(noted == 1)
}

/// What came to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "columns of webhook_deliveries")]
pub struct Delivery {
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub event_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub kind: Option<String>,
    #[diesel(sql_type = Text)]
    pub outcome: String,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub hint: Option<String>,
    #[diesel(sql_type = Int4)]
    pub times: i32,
}

/// Notes a delivery that was believed.
///
/// # Errors
/// When the database fails.
pub fn delivered(
    conn: &mut PgConnection,
    endpoint: Uuid,
    secret: Uuid,
    delivery: &Delivery,
) -> Result<()> {
    diesel::sql_query(
        "insert into webhook_deliveries (id, endpoint_id, received_at, event_id, type, outcome, reason, secret_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(delivery.received_at)
    .bind::<Nullable<Text>, _>(delivery.event_id.as_deref())
    .bind::<Nullable<Text>, _>(delivery.kind.as_deref())
    .bind::<Text, _>(&delivery.outcome)
    .bind::<Text, _>(&delivery.reason)
    .bind::<SqlUuid, _>(secret)
    .execute(conn)?;
    Ok(())
}

/// Notes a delivery that was refused: one row for a reason and a minute. A forger's deliveries do not
/// wait for each other: while one is being noted, others of its kind go unnoted.
///
/// # Errors
/// When the database fails.
pub fn refused(
    conn: &mut PgConnection,
    endpoint: Uuid,
    code: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let minute = now.timestamp().div_euclid(60);
    diesel::sql_query(
        "insert into webhook_deliveries (id, endpoint_id, received_at, outcome, reason)
         select $1, $2, $3, $4, $5
         where pg_try_advisory_xact_lock(hashtextextended('refused:' || $1::text, 0))
         on conflict (id) do update set times = webhook_deliveries.times + 1, received_at = excluded.received_at",
    )
    .bind::<SqlUuid, _>(Uuid::new_v5(&endpoint, format!("{code} {minute}").as_bytes()))
    .bind::<SqlUuid, _>(endpoint)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(code)
    .bind::<Text, _>(reason)
    .execute(conn)?;
    Ok(())
}

/// The newest deliveries of an endpoint.
///
/// # Errors
/// When the database fails.
pub fn deliveries(conn: &mut PgConnection, endpoint: Uuid, most: i64) -> Result<Vec<Delivery>> {
    Ok(diesel::sql_query(
        "select d.received_at, d.event_id, d.type as kind, d.outcome, d.reason, s.hint, d.times
         from webhook_deliveries d left join webhook_secrets s on s.id = d.secret_id
         where d.endpoint_id = $1 order by d.received_at desc, d.id desc limit $2",
    )
    .bind::<SqlUuid, _>(endpoint)
    .bind::<BigInt, _>(most)
    .load(conn)?)
}

/// Forgets deliveries before this with their ids, and the text of secrets that are over.
///
/// # Errors
/// When the database fails.
pub fn forget(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    diesel::sql_query("delete from webhook_deliveries where received_at < $1")
        .bind::<Timestamptz, _>(before)
        .execute(conn)?;
    diesel::sql_query("delete from webhook_ids where received_at < $1")
        .bind::<Timestamptz, _>(before)
        .execute(conn)?;
    diesel::sql_query(
        "update webhook_secrets set secret = '' where expires_at <= $1 and secret <> ''",
    )
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
