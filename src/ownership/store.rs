//! The SQL of assignments and account owners, and the members as candidates.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::eligibility::Candidate;
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, WorkspaceId};
use crate::schema::{absences, account_owners, assignments, team_members};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: MemberId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    function: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    territories: Vec<String>,
    #[diesel(sql_type = Integer)]
    capacity: i32,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    deactivated_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Array<Text>)]
    pools: Vec<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_assigned_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    open_pqls: i64,
}

/// Everybody who sells or owns something, as of `now`, by id.
///
/// # Errors
/// The database's.
pub fn candidates(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Candidate>> {
    let rows: Vec<Row> = sql_query(
        "select m.id, m.name, m.function, m.territories, m.capacity, m.time_zone, m.deactivated_at, \
           coalesce((select array_agg(p.key order by p.key) from pool_members pm \
             join pools p on p.id = pm.pool_id where pm.member_id = m.id), '{}') as pools, \
           (select max(pm.last_assigned_at) from pool_members pm where pm.member_id = m.id) \
             as last_assigned_at, \
           (select count(*) from tasks t where t.assignee_id = m.id and t.completed_at is null \
             and (t.snoozed_until is null or t.snoozed_until <= $1)) as open_pqls \
         from team_members m \
         where (m.deactivated_at is null and m.function is not null) \
           or exists (select 1 from assignments a where a.member_id = m.id and a.ended_at is null) \
           or exists (select 1 from account_owners o where o.member_id = m.id) \
         order by m.id",
    )
    .bind::<Timestamptz, _>(now)
    .load(conn)?;
    let away = absences_around(conn, now)?;
    Ok(rows.into_iter().map(|row| row.candidate(&away, now)).collect())
}

impl Row {
    fn candidate(
        self,
        away: &BTreeMap<MemberId, Vec<(NaiveDate, NaiveDate)>>,
        now: DateTime<Utc>,
    ) -> Candidate {
        let zone: Tz = self.time_zone.parse().unwrap_or(Tz::UTC);
        let today = now.with_timezone(&zone).date_naive();
        let spans = away.get(&self.id).into_iter().flatten();
        let away_until =
            spans.filter(|(from, to)| (*from..=*to).contains(&today)).map(|(_, to)| *to).max();
        Candidate {
            id: self.id,
            name: self.name,
            active: self.deactivated_at.is_none(),
            function: self.function.and_then(|key| key.parse().ok()),
            territories: self.territories,
            pools: self.pools,
            away_until,
            open_pqls: u32::try_from(self.open_pqls).unwrap_or(u32::MAX),
            capacity: u32::try_from(self.capacity).unwrap_or(0),
            last_assigned_at: self.last_assigned_at,
            at_sweep_limit: false,
        }
    }
}

/// Absences that cover today in some zone.
fn absences_around(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<BTreeMap<MemberId, Vec<(NaiveDate, NaiveDate)>>> {
    let today = now.date_naive();
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let rows: Vec<(MemberId, NaiveDate, NaiveDate)> = absences::table
        .filter(absences::to_on.ge(yesterday))
        .filter(absences::from_on.le(tomorrow))
        .select((absences::member_id, absences::from_on, absences::to_on))
        .load(conn)?;
    let mut spans: BTreeMap<MemberId, Vec<(NaiveDate, NaiveDate)>> = BTreeMap::new();
    for (member, from, to) in rows {
        spans.entry(member).or_default().push((from, to));
    }
    Ok(spans)
}

/// Holds these members (all active ones when none are named) as active until the transaction ends:
/// nobody is deactivated between the choice and the assignment. By id; the names of those active.
///
/// # Errors
/// The database's.
pub fn hold_active(
    conn: &mut PgConnection,
    only: Option<&[MemberId]>,
) -> Result<BTreeMap<MemberId, String>> {
    let rows: Vec<Held> = match only {
        Some(only) => sql_query(
            "select id, name from team_members where deactivated_at is null and id = any($1) \
             order by id for share",
        )
        .bind::<Array<SqlUuid>, _>(only)
        .load(conn)?,
        None => sql_query(
            "select id, name from team_members where deactivated_at is null and function is not null \
             order by id for share",
        )
        .load(conn)?,
    };
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = SqlUuid)]
    id: MemberId,
    #[diesel(sql_type = Text)]
    name: String,
}

/// Where an assignment comes from; the word in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rule.
    Routing,
    /// A manager.
    Manager,
    /// The owner took it.
    Oneself,
}

impl Source {
    fn key(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Manager => "manager",
            Self::Oneself => "self",
        }
    }
}

/// An assignment to be opened.
#[derive(Clone, Debug)]
pub struct NewAssignment {
    /// Of which workspace.
    pub workspace: WorkspaceId,
    /// To whom.
    pub member: MemberId,
    /// By whom; none when routing did it.
    pub by: Option<MemberId>,
    /// How it came about.
    pub source: Source,
    /// The decision behind it.
    pub decision: Option<DecisionId>,
}

/// Opens an assignment; false when the workspace has an open one. What a person takes is accepted.
///
/// # Errors
/// The database's.
pub fn open(conn: &mut PgConnection, new: &NewAssignment, now: DateTime<Utc>) -> Result<bool> {
    let accepted_at = (new.source == Source::Oneself).then_some(now);
    let opened = diesel::insert_into(assignments::table)
        .values((
            assignments::id.eq(Uuid::now_v7()),
            assignments::workspace_id.eq(new.workspace),
            assignments::member_id.eq(new.member),
            assignments::assigned_by.eq(new.by),
            assignments::source.eq(new.source.key()),
            assignments::decision_id.eq(new.decision),
            assignments::assigned_at.eq(now),
            assignments::accepted_at.eq(accepted_at),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(opened > 0)
}

/// Ends the open assignment of a workspace if this member has it; false when not.
///
/// # Errors
/// The database's.
pub fn end(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    member: MemberId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let ended = diesel::update(
        assignments::table
            .filter(assignments::workspace_id.eq(workspace))
            .filter(assignments::member_id.eq(member))
            .filter(assignments::ended_at.is_null()),
    )
    .set((assignments::ended_at.eq(now), assignments::end_reason.eq(reason)))
    .execute(conn)?;
    Ok(ended > 0)
}

/// Notes that the owner said yes; false when this member does not own the workspace.
///
/// # Errors
/// The database's.
pub fn accept(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    member: MemberId,
    now: DateTime<Utc>,
) -> Result<bool> {
    let accepted = sql_query(
        "update assignments set accepted_at = coalesce(accepted_at, $3) \
         where workspace_id = $1 and member_id = $2 and ended_at is null",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<SqlUuid, _>(member)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(accepted > 0)
}

/// Who owns a workspace now, with the name.
///
/// # Errors
/// The database's.
pub fn owner(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<(MemberId, String)>> {
    Ok(assignments::table
        .inner_join(team_members::table.on(team_members::id.eq(assignments::member_id)))
        .filter(assignments::workspace_id.eq(workspace))
        .filter(assignments::ended_at.is_null())
        .select((team_members::id, team_members::name))
        .first(conn)
        .optional()?)
}

/// The workspaces that a member owns, by id.
///
/// # Errors
/// The database's.
pub fn owned_by(conn: &mut PgConnection, member: MemberId) -> Result<Vec<WorkspaceId>> {
    Ok(assignments::table
        .filter(assignments::member_id.eq(member))
        .filter(assignments::ended_at.is_null())
        .order(assignments::workspace_id)
        .select(assignments::workspace_id)
        .load(conn)?)
}

/// Sets or ends the owner of an account.
///
/// # Errors
/// The database's.
pub fn set_account_owner(
    conn: &mut PgConnection,
    account: crate::ids::AccountId,
    member: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<()> {
    match member {
        None => {
            diesel::delete(account_owners::table.find(account)).execute(conn)?;
        }
        Some(member) => {
            let values = (account_owners::member_id.eq(member), account_owners::since.eq(now));
            diesel::insert_into(account_owners::table)
                .values((account_owners::account_id.eq(account), values))
                .on_conflict(account_owners::account_id)
                .do_update()
                .set(values)
                .execute(conn)?;
        }
    }
    Ok(())
}

/// Takes a member's accounts away; how many there were.
///
/// # Errors
/// The database's.
pub fn end_account_ownership(conn: &mut PgConnection, member: MemberId) -> Result<usize> {
    Ok(diesel::delete(account_owners::table.filter(account_owners::member_id.eq(member)))
        .execute(conn)?)
}

/// What the last decision says about work on a workspace.
#[derive(Clone, Debug, QueryableByName)]
pub struct Advice {
    /// The decision.
    #[diesel(sql_type = SqlUuid)]
    pub id: DecisionId,
    /// Its destination's key.
    #[diesel(sql_type = Text)]
    pub destination: String,
    /// The rule's name.
    #[diesel(sql_type = Text)]
    pub rule_name: String,
    /// Business hours to the first touch.
    #[diesel(sql_type = Nullable<Integer>)]
    pub sla_hours: Option<i32>,
    /// 1 to 3.
    #[diesel(sql_type = Nullable<Integer>)]
    pub priority: Option<i32>,
    /// The title of the task.
    #[diesel(sql_type = Nullable<Text>)]
    pub task: Option<String>,
}

/// The advice of the last decision; none before the first.
///
/// # Errors
/// Not found when there is no such workspace; the database's.
pub fn advice(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Advice>> {
    use crate::schema::workspaces;
    let known: bool =
        diesel::select(diesel::dsl::exists(workspaces::table.find(workspace))).get_result(conn)?;
    if !known {
        return Err(Error::NotFound);
    }
    Ok(sql_query(
        "select id, destination, rule_name, sla_hours, (trace->>'priority')::int as priority, \
           trace->>'task' as task \
         from routing_decisions where workspace_id = $1 \
         order by decided_at desc, id desc limit 1",
    )
    .bind::<SqlUuid, _>(workspace)
    .get_result(conn)
    .optional()?)
}

/// The name of a workspace.
///
/// # Errors
/// Not found; the database's.
pub fn workspace_name(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<String> {
    use crate::schema::workspaces;
    Ok(workspaces::table.find(workspace).select(workspaces::name).first(conn)?)
}

/// Who owns a workspace and whether they accepted it.
///
/// # Errors
/// The database's.
pub fn standing(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<(MemberId, bool)>> {
    Ok(assignments::table
        .filter(assignments::workspace_id.eq(workspace))
        .filter(assignments::ended_at.is_null())
        .select((assignments::member_id, assignments::accepted_at.is_not_null()))
        .first(conn)
        .optional()?)
}
