//! What the assignment view shows: PQLs that nobody owns, the highest score or the longest wait first.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::WorkspaceId;

/// How many rows the view shows at once; more are there once these are assigned.
pub const SHOWN: i64 = 50;

/// One PQL that nobody owns.
#[derive(Clone, Debug, QueryableByName)]
pub struct Unowned {
    /// Which.
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    /// The user-given name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its account.
    #[diesel(sql_type = Nullable<Text>)]
    pub account: Option<String>,
    /// Hundredths.
    #[diesel(sql_type = Integer)]
    pub score: i32,
    /// Hundredths, over 7 days.
    #[diesel(sql_type = Integer)]
    pub change: i32,
    /// The stage's key.
    #[diesel(sql_type = Text)]
    pub stage: String,
    /// The reasons of the score, best first.
    #[diesel(sql_type = Array<Text>)]
    pub reasons: Vec<String>,
    /// Hundredths, one a day.
    #[diesel(sql_type = Array<Integer>)]
    pub sparkline: Vec<i32>,
    /// Where routing sent it.
    #[diesel(sql_type = Nullable<Text>)]
    pub destination: Option<String>,
    /// Why routing gave it to nobody.
    #[diesel(sql_type = Nullable<Text>)]
    pub unowned_reason: Option<String>,
    /// Since when it waits.
    #[diesel(sql_type = Timestamptz)]
    pub waiting_since: DateTime<Utc>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The highest score first.
    #[default]
    Score,
    /// The longest wait first.
    Wait,
}

/// Active production workspaces without an owner that are PQLs by stage or by a rule for people.
/// Warm is in the range because a rule may send it to a person; below that none is looked at.
const UNOWNED: &str = "\
from workspace_scores s \
join workspaces w on w.id = s.workspace_id and w.status = 'active' and w.type = 'prod' \
left join lateral (select x.destination, x.unowned_reason, x.sla_hours from routing_decisions x \
  where x.workspace_id = s.workspace_id order by x.decided_at desc, x.id desc limit 1) d on true \
where s.stage in ('warm', 'pql', 'hot_pql') \
  and (s.stage in ('pql', 'hot_pql') or d.destination in ('sdr', 'ae', 'csm')) \
  and d.destination is distinct from 'none' \
  and not exists (select 1 from assignments a where a.workspace_id = s.workspace_id \
    and a.ended_at is null)";

/// Since when the rules send it to a person; where they don't, since when it is a PQL.
const SINCE: &str = "\
case when d.destination in ('sdr', 'ae', 'csm') then \
  (select min(x.decided_at) from routing_decisions x where x.workspace_id = s.workspace_id \
    and x.decided_at > coalesce((select max(y.decided_at) from routing_decisions y \
      where y.workspace_id = s.workspace_id and y.destination not in ('sdr', 'ae', 'csm')), \
      '-infinity')) \
else s.stage_since end";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many PQLs nobody owns.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut PgConnection) -> Result<u32> {
    let found: Count = sql_query(format!("select count(*) as n {UNOWNED}")).get_result(conn)?;
    Ok(u32::try_from(found.n).unwrap_or(u32::MAX))
}

/// The same for every page's navigation: counts no further than `most`, so that its cost does not
/// grow with the installation.
///
/// # Errors
/// The database's.
pub fn count_up_to(conn: &mut PgConnection, most: u32) -> Result<u32> {
    let found: Count =
        sql_query(format!("select count(*) as n from (select 1 {UNOWNED} limit {most}) found"))
            .get_result(conn)?;
    Ok(u32::try_from(found.n).unwrap_or(most))
}

/// The first [`SHOWN`] of them.
///
/// # Errors
/// The database's.
pub fn unowned(conn: &mut PgConnection, order: Order) -> Result<Vec<Unowned>> {
    let by = match order {
        Order::Score => "score desc, id",
        // As sweeps offer them.
        Order::Wait => "waiting_since, sla_hours nulls last, score desc, id",
    };
    Ok(sql_query(format!(
        "select f.*, ac.name as account from ( \
           select s.workspace_id as id, w.name, s.score, s.score - coalesce(s.score_7d, s.score) as change, \
             s.stage, s.reasons, s.sparkline, d.destination, d.unowned_reason, d.sla_hours, \
             greatest({SINCE}, (select max(e.ended_at) from assignments e \
               where e.workspace_id = s.workspace_id)) as waiting_since {UNOWNED} \
           order by {by} limit {SHOWN} \
         ) f \
         left join account_links l on l.workspace_id = f.id \
           and (l.confidence >= 80 or l.pinned_by is not null) \
         left join accounts ac on ac.id = l.account_id \
         order by {by}"
    ))
    .load(conn)?)
}
