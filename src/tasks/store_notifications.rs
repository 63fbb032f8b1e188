//! The SQL of notifications: what a member is told inside the product.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::schema::notifications;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "columns of notifications")]
pub struct Notification {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub url: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub read_at: Option<DateTime<Utc>>,
}

/// Tells a member something; `url` is where it leads.
///
/// # Errors
/// The database's.
pub fn notify(
    conn: &mut PgConnection,
    member: MemberId,
    kind: &str,
    title: &str,
    url: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(notifications::table)
        .values((
            notifications::id.eq(Uuid::now_v7()),
            notifications::member_id.eq(member),
            notifications::kind.eq(kind),
            notifications::title.eq(title),
            notifications::url.eq(url),
            notifications::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// A member's own, the newest first: only those not read, or all; `most` of them, after the one of
/// that id.
///
/// # Errors
/// The database's.
pub fn of_member(
    conn: &mut PgConnection,
    member: MemberId,
    unread: bool,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Notification>> {
    Ok(diesel::sql_query(
        "select id, kind, title, url, created_at, read_at from notifications
         where member_id = $1 and (read_at is null or not $2)
           and ($3 is null or (created_at, id) < (select created_at, id from notifications
                                                  where id = $3 and member_id = $1))
         order by created_at desc, id desc limit $4",
    )
    .bind::<SqlUuid, _>(member)
    .bind::<Bool, _>(unread)
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<BigInt, _>(most)
    .load(conn)?)
}

/// How many a member has not read; counts no further than `most`.
///
/// # Errors
/// The database's.
pub fn count_unread(conn: &mut PgConnection, member: MemberId, most: u32) -> Result<u32> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let found: Count = diesel::sql_query(
        "select count(*) as n from (select from notifications
         where member_id = $1 and read_at is null limit $2) as few",
    )
    .bind::<SqlUuid, _>(member)
    .bind::<BigInt, _>(i64::from(most))
    .get_result(conn)?;
    Ok(u32::try_from(found.n).unwrap_or(most))
}

/// Notes that a member has seen what leads to this address.
///
/// # Errors
/// The database's.
pub fn mark_read(
    conn: &mut PgConnection,
    member: MemberId,
    url: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::update(
        notifications::table
            .filter(notifications::member_id.eq(member))
            .filter(notifications::read_at.is_null())
            .filter(notifications::url.eq(url)),
    )
    .set(notifications::read_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// Notes that a member has read one of theirs; read before, it stays as it was.
///
/// # Errors
/// Not found when it is nobody's or somebody else's; the database's.
pub fn read_one(
    conn: &mut PgConnection,
    member: MemberId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let own = notifications::table
        .filter(notifications::id.eq(id))
        .filter(notifications::member_id.eq(member));
    let known: i64 = own.count().get_result(conn)?;
    if known == 0 {
        return Err(Error::NotFound);
    }
    diesel::update(own.filter(notifications::read_at.is_null()))
        .set(notifications::read_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Notes that a member has read all that was told up to `until`, and how many that were.
///
/// # Errors
/// The database's.
pub fn read_all(
    conn: &mut PgConnection,
    member: MemberId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<usize> {
    Ok(diesel::update(
        notifications::table
            .filter(notifications::member_id.eq(member))
            .filter(notifications::read_at.is_null())
            .filter(notifications::created_at.le(until)),
    )
    .set(notifications::read_at.eq(now))
    .execute(conn)?)
}

/// Forgets what was read before.
///
/// # Errors
/// The database's.
pub fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    diesel::delete(notifications::table.filter(notifications::read_at.lt(before))).execute(conn)?;
    Ok(())
}
