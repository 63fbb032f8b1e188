//! The SQL of the line: workspaces that the rules send to a person and that nobody owns.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};

use super::offers::Askable;
use crate::error::Result;
use crate::ids::WorkspaceId;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
}

/// Waiting begins when the last decision began to send it to a person, or when its last owner lost it.
const WAITING: &str = "\
select p.workspace_id from ( \
  select distinct x.workspace_id from routing_decisions x where x.destination in ('sdr', 'ae', 'csm') \
) p \
join lateral (select x.destination, x.sla_hours from routing_decisions x \
  where x.workspace_id = p.workspace_id order by x.decided_at desc, x.id desc limit 1) d \
  on d.destination in ('sdr', 'ae', 'csm') \
join workspace_scores s on s.workspace_id = p.workspace_id \
where not exists (select 1 from assignments a where a.workspace_id = p.workspace_id \
    and a.ended_at is null) \
  and (d.destination = any($1) or exists (select 1 from account_links l \
    join account_owners o on o.account_id = l.account_id \
    where l.workspace_id = p.workspace_id and (l.confidence >= 80 or l.pinned_by is not null) \
      and o.member_id = any($2))) \
order by greatest( \
    (select min(x.decided_at) from routing_decisions x where x.workspace_id = p.workspace_id \
      and x.decided_at > coalesce((select max(y.decided_at) from routing_decisions y \
        where y.workspace_id = p.workspace_id and y.destination not in ('sdr', 'ae', 'csm')), \
        '-infinity')), \
    (select max(e.ended_at) from assignments e where e.workspace_id = p.workspace_id)), \
  d.sla_hours nulls last, s.score desc, p.workspace_id";

/// What waits and may be given to these, the first in line first: the longest wait, at equal times the
/// shorter time to the first touch, the higher score, the id.
///
/// # Errors
/// The database's.
pub fn waiting(conn: &mut PgConnection, askable: &Askable) -> Result<Vec<WorkspaceId>> {
    if askable.members.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = sql_query(WAITING)
        .bind::<Array<Text>, _>(&askable.destinations)
        .bind::<Array<SqlUuid>, _>(&askable.members)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.workspace_id).collect())
}
