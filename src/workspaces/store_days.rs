//! Reading a workspace's key events, newest first, without opening all their days.
//!
//! Key events lie in partitions of a day. A query that could find its rows in any of them has to open
//! all, which takes 30 ms and a thousand locks for a year; so readers go back in spans of days and stop
//! when they have enough. Days without use are jumped over: a key event's day is a usage day.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::WorkspaceId;

/// Moments from `from` on and before `to`: whole UTC days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
}

impl Span {
    /// So many days that end with this one.
    #[must_use]
    pub fn back_from(day: NaiveDate, days: u64) -> Self {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let first = day.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(day);
        Self { from: midnight(first), to: midnight(day.succ_opt().unwrap_or(day)) }
    }
}

/// The sizes of the spans, in days: a page of what happened lately needs one, and none holds more locks
/// than some hundred.
fn sizes() -> impl Iterator<Item = u64> {
    [8, 28].into_iter().chain(std::iter::repeat(64))
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Nullable<Date>)]
    day: Option<NaiveDate>,
}

/// The newest day on which the workspace was used, up to `until`, of which key events are kept.
fn newest_day(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    until: Option<NaiveDate>,
) -> Result<Option<NaiveDate>> {
    let newest: Newest = diesel::sql_query(
        "select max(day) as day from usage_days
         where workspace_id = $1 and ($2::date is null or day <= $2)
           and day >= (select key_events_from from retention)",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Nullable<Date>, _>(until)
    .get_result(conn)?;
    Ok(newest.day)
}

/// The newest rows about key events of a workspace, at most `limit`, none of a day after `until`'s.
/// `read` answers with those of a span, newest first, at most as many as it is told.
///
/// # Errors
/// When the database fails; what `read` fails with.
pub fn newest<T>(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    until: Option<DateTime<Utc>>,
    limit: i64,
    mut read: impl FnMut(&mut PgConnection, Span, i64) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut until = until.map(|until| until.date_naive());
    for days in sizes() {
        let room = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let Some(day) = newest_day(conn, workspace, until)?.filter(|_| room > 0) else { break };
        let span = Span::back_from(day, days);
        rows.extend(read(conn, span, room)?);
        let Some(before) = span.from.date_naive().pred_opt() else { break };
        until = Some(before);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_follow_each_other_without_a_gap(start in 1_000_u64..40_000, count in 1_usize..20) {
            let mut day = NaiveDate::default() + Days::new(start);
            let mut before: Option<Span> = None;
            for days in sizes().take(count) {
                let span = Span::back_from(day, days);
                prop_assert_eq!((span.to - span.from).num_days(), i64::try_from(days).unwrap());
                if let Some(before) = before {
                    prop_assert_eq!(span.to, before.from);
                }
                day = span.from.date_naive().pred_opt().unwrap();
                before = Some(span);
            }
        }
    }
}
