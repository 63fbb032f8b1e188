//! The SQL of the sign-in throttle: counted attempts and known browsers.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::throttle::{Count, Counts, KNOWN_FOR, Subjects, WINDOW};
use crate::error::Result;
use crate::ids::MemberId;
use crate::schema::{known_devices, sign_in_attempts};

/// Browsers that are remembered of a member.
const MOST_DEVICES: i64 = 24;

/// Makes attempts under the same subjects wait for each other.
///
/// # Errors
/// The database's.
pub fn lock_attempts(conn: &mut PgConnection, subjects: &Subjects) -> Result<()> {
    // Always in this order: locks in one order can't deadlock.
    for subject in subjects.counted().iter().take(2) {
        diesel::sql_query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(*subject)
            .execute(conn)?;
    }
    Ok(())
}

/// The attempts under a subject within the window before `now`.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut PgConnection, subject: &str, now: DateTime<Utc>) -> Result<Count> {
    let (failures, last): (i64, Option<DateTime<Utc>>) = sign_in_attempts::table
        .filter(sign_in_attempts::subject.eq(subject))
        .filter(sign_in_attempts::at.gt(now - WINDOW))
        .select((count_star(), max(sign_in_attempts::at)))
        .first(conn)?;
    Ok(Count { failures: u32::try_from(failures).unwrap_or(u32::MAX), last })
}

/// The attempts of an unknown browser's subjects within the window before `now`.
///
/// # Errors
/// The database's.
pub fn counts(conn: &mut PgConnection, subjects: &Subjects, now: DateTime<Utc>) -> Result<Counts> {
    Ok(Counts {
        account: count(conn, &subjects.account, now)?,
        address: count(conn, &subjects.address, now)?,
        pair: count(conn, &subjects.pair, now)?,
    })
}

/// The members who signed in lately in the browser of this token.
///
/// # Errors
/// The database's.
pub fn members_of_device(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Vec<MemberId>> {
    Ok(known_devices::table
        .filter(known_devices::token_hash.eq(token_hash))
        .filter(known_devices::last_used_at.gt(now - KNOWN_FOR))
        .select(known_devices::member_id)
        .load(conn)?)
}

/// Notes that a member signed in in the browser of this token; forgets those of theirs that are not
/// known any more, and all but the newest of a few dozen.
///
/// # Errors
/// The database's.
pub fn remember_device(
    conn: &mut PgConnection,
    member: MemberId,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(known_devices::table)
        .values((
            known_devices::member_id.eq(member),
            known_devices::token_hash.eq(token_hash),
            known_devices::created_at.eq(now),
            known_devices::last_used_at.eq(now),
        ))
        .on_conflict((known_devices::member_id, known_devices::token_hash))
        .do_update()
        .set(known_devices::last_used_at.eq(now))
        .execute(conn)?;
    let newest = known_devices::table
        .filter(known_devices::member_id.eq(member))
        .order(known_devices::last_used_at.desc())
        .limit(MOST_DEVICES)
        .select(known_devices::token_hash)
        .load::<Vec<u8>>(conn)?;
    diesel::delete(
        known_devices::table.filter(known_devices::member_id.eq(member)).filter(
            known_devices::token_hash
                .ne_all(newest)
                .or(known_devices::last_used_at.le(now - KNOWN_FOR)),
        ),
    )
    .execute(conn)?;
    Ok(())
}

/// Forgets the browsers of a member, whose password was lost or who is shut out.
///
/// # Errors
/// The database's.
pub fn forget_devices(conn: &mut PgConnection, member: MemberId) -> Result<()> {
    diesel::delete(known_devices::table.filter(known_devices::member_id.eq(member)))
        .execute(conn)?;
    Ok(())
}

/// Counts an attempt under its subjects.
///
/// # Errors
/// The database's.
pub fn insert_attempt(
    conn: &mut PgConnection,
    subjects: &Subjects,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = |subject: &str| {
        (sign_in_attempts::subject.eq(subject.to_owned()), sign_in_attempts::at.eq(now))
    };
    let rows: Vec<_> = subjects.counted().into_iter().map(row).collect();
    diesel::insert_into(sign_in_attempts::table).values(rows).execute(conn)?;
    Ok(())
}

/// Forgets the failures of whoever signed in, and the last attempt of an unknown browser's address. What
/// strangers did stays when a known browser signs in.
///
/// # Errors
/// The database's.
pub fn forget_attempts(
    conn: &mut PgConnection,
    subjects: &Subjects,
    now: DateTime<Utc>,
) -> Result<()> {
    let own = match &subjects.device {
        Some(device) => vec![device],
        None => vec![&subjects.account, &subjects.pair],
    };
    diesel::delete(sign_in_attempts::table.filter(sign_in_attempts::subject.eq_any(own)))
        .execute(conn)?;
    if subjects.device.is_none() {
        let last = sign_in_attempts::table
            .filter(sign_in_attempts::subject.eq(&subjects.address))
            .select(max(sign_in_attempts::id))
            .first::<Option<i64>>(conn)?;
        diesel::delete(sign_in_attempts::table.filter(sign_in_attempts::id.nullable().eq(last)))
            .execute(conn)?;
    }
    sweep_attempts(conn, now)?;
    Ok(())
}

/// Deletes attempts that no longer count, and says how many.
///
/// # Errors
/// The database's.
pub fn sweep_attempts(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(sign_in_attempts::table.filter(sign_in_attempts::at.le(now - WINDOW)))
        .execute(conn)?)
}
