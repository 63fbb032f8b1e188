//! The SQL of scores: what was touched, the serving copy, history and stage changes.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::upsert::excluded;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::schema::{score_history, stage_changes, workspace_scores};

/// One scorer writes at a time, in all servers together: scores of one workspace never race.
pub(super) const SCORER_LOCK: i64 = 0x5249_5045_4e01;

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    locked: bool,
}

/// Takes the right to write scores until the transaction ends. False: another server scores, or an
/// import holds all scorers back; nobody waits for it, so that a shutdown never does.
pub(super) fn try_lock_scorer(conn: &mut PgConnection) -> Result<bool> {
    let answer: Locked = diesel::sql_query("select pg_try_advisory_xact_lock($1) as locked")
        .bind::<BigInt, _>(SCORER_LOCK)
        .get_result(conn)?;
    Ok(answer.locked)
}

/// Waits for the right to write scores, for a few seconds; held until the transaction ends.
pub(super) fn lock_scorer(conn: &mut PgConnection) -> Result<()> {
    diesel::sql_query("set local lock_timeout = '10s'").execute(conn)?;
    diesel::sql_query("select pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(SCORER_LOCK)
        .execute(conn)?;
    diesel::sql_query("set local lock_timeout = 0").execute(conn)?;
    Ok(())
}

/// A workspace whose score may have changed since a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Touched {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    /// The earliest day on which something new happened.
    #[diesel(sql_type = Date)]
    pub since_on: NaiveDate,
}

/// Takes the workspaces of the `rows` oldest entries of what was touched, and with each whatever else
/// touched it: under load many chunks touch the same ones, and one score answers all of them.
pub(super) fn take_touched(conn: &mut PgConnection, rows: i64) -> Result<Vec<Touched>> {
    Ok(diesel::sql_query(
        "with oldest as (
             select distinct workspace_id
             from (select workspace_id from touched_workspaces order by id limit $1) t
         ), taken as (
             delete from touched_workspaces t using oldest where t.workspace_id = oldest.workspace_id
             returning t.workspace_id, t.since_on)
         select workspace_id, min(since_on) as since_on from taken
         group by workspace_id order by workspace_id",
    )
    .bind::<BigInt, _>(rows)
    .load(conn)?)
}

/// Notes that workspaces need a new score from `since` on.
///
/// # Errors
/// When the database fails.
pub fn touch(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    since: NaiveDate,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into touched_workspaces (workspace_id, since_on, touched_at)
         select id, $2, $3 from unnest($1) as id",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .bind::<Date, _>(since)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// What the last scoring left behind, as far as the next one asks.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = workspace_scores)]
pub(super) struct Previous {
    pub workspace_id: WorkspaceId,
    pub stage: String,
    pub stage_since: DateTime<Utc>,
    /// The account that the workspace belonged to.
    pub account_id: Option<AccountId>,
}

pub(super) fn previous(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<Vec<Previous>> {
    Ok(workspace_scores::table
        .filter(workspace_scores::workspace_id.eq_any(ids))
        .order(workspace_scores::workspace_id)
        .select(Previous::as_select())
        .load(conn)?)
}

/// A day of a workspace's history.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = score_history)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct HistoryDay {
    pub workspace_id: WorkspaceId,
    pub day: NaiveDate,
    /// Hundredths of a point.
    pub score: i32,
    pub stage: String,
    /// Category key to hundredths.
    pub categories: Value,
    pub model_version: i32,
    /// The day on which this was computed: that day itself, or a later one that looked back.
    pub scored_on: NaiveDate,
}

/// A stored day as far as the next scoring asks: without the categories, which are most of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = score_history)]
pub(super) struct PastDay {
    pub workspace_id: WorkspaceId,
    pub day: NaiveDate,
    /// Hundredths of a point.
    pub score: i32,
    pub stage: String,
    pub model_version: i32,
    pub scored_on: NaiveDate,
}

impl From<&HistoryDay> for PastDay {
    fn from(day: &HistoryDay) -> Self {
        Self {
            workspace_id: day.workspace_id,
            day: day.day,
            score: day.score,
            stage: day.stage.clone(),
            model_version: day.model_version,
            scored_on: day.scored_on,
        }
    }
}

/// The stored days of some workspaces from `from` on, by workspace and day.
pub(super) fn history_since(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
    from: NaiveDate,
) -> Result<Vec<PastDay>> {
    Ok(score_history::table
        .filter(score_history::workspace_id.eq_any(ids))
        .filter(score_history::day.ge(from))
        .order((score_history::workspace_id, score_history::day))
        .select(PastDay::as_select())
        .load(conn)?)
}

/// One workspace's stored days, both ends included, oldest first.
///
/// # Errors
/// When the database fails.
pub fn history(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<HistoryDay>> {
    Ok(score_history::table
        .filter(score_history::workspace_id.eq(workspace))
        .filter(score_history::day.between(from, to))
        .order(score_history::day)
        .select(HistoryDay::as_select())
        .load(conn)?)
}

/// Writes days of history, only those that differ from what is there.
pub(super) fn write_history(conn: &mut PgConnection, days: &[HistoryDay]) -> Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into score_history (workspace_id, day, score, stage, categories, model_version, scored_on)
         select * from unnest($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, day) do update set
             score = excluded.score, stage = excluded.stage, categories = excluded.categories,
             model_version = excluded.model_version, scored_on = excluded.scored_on
         where (score_history.score, score_history.stage, score_history.categories,
                score_history.model_version, score_history.scored_on)
             is distinct from
               (excluded.score, excluded.stage, excluded.categories, excluded.model_version, excluded.scored_on)",
    )
    .bind::<Array<SqlUuid>, _>(days.iter().map(|d| d.workspace_id).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days.iter().map(|d| d.day).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(days.iter().map(|d| d.score).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(days.iter().map(|d| d.stage.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(days.iter().map(|d| &d.categories).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(days.iter().map(|d| d.model_version).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(days.iter().map(|d| d.scored_on).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// The serving copy of a workspace's score.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = workspace_scores)]
pub(super) struct Serving {
    pub workspace_id: WorkspaceId,
    pub as_of: NaiveDate,
    pub model_version: i32,
    pub score: i32,
    pub stage: String,
    pub stage_since: DateTime<Utc>,
    pub score_1d: Option<i32>,
    pub score_7d: Option<i32>,
    pub lead_user_id: Option<UserId>,
    pub flags: Vec<String>,
    pub reasons: Vec<String>,
    pub next_best_action: Option<String>,
    pub card: Value,
    pub signals: Value,
    pub sparkline: Vec<i32>,
    pub plan_tier: Option<String>,
    pub paid_status: Option<String>,
    pub trial_end_on: Option<NaiveDate>,
    pub icp_fit_tier: Option<String>,
    pub wau: i32,
    pub member_count: i32,
    pub seats: i32,
    pub high_intent_14d: i32,
    pub last_active_at: Option<DateTime<Utc>>,
    pub scored_at: DateTime<Utc>,
    pub account_id: Option<AccountId>,
}

pub(super) fn write_serving(conn: &mut PgConnection, rows: &[Serving]) -> Result<()> {
    use workspace_scores as t;
    diesel::insert_into(t::table)
        .values(rows)
        .on_conflict(t::workspace_id)
        .do_update()
        .set((
            (
                t::as_of.eq(excluded(t::as_of)),
                t::model_version.eq(excluded(t::model_version)),
                t::score.eq(excluded(t::score)),
                t::stage.eq(excluded(t::stage)),
                t::stage_since.eq(excluded(t::stage_since)),
                t::score_1d.eq(excluded(t::score_1d)),
                t::score_7d.eq(excluded(t::score_7d)),
                t::lead_user_id.eq(excluded(t::lead_user_id)),
                t::flags.eq(excluded(t::flags)),
                t::reasons.eq(excluded(t::reasons)),
                t::next_best_action.eq(excluded(t::next_best_action)),
                t::card.eq(excluded(t::card)),
            ),
            (
                t::signals.eq(excluded(t::signals)),
                t::sparkline.eq(excluded(t::sparkline)),
                t::plan_tier.eq(excluded(t::plan_tier)),
                t::paid_status.eq(excluded(t::paid_status)),
                t::trial_end_on.eq(excluded(t::trial_end_on)),
                t::icp_fit_tier.eq(excluded(t::icp_fit_tier)),
                t::wau.eq(excluded(t::wau)),
                t::member_count.eq(excluded(t::member_count)),
                t::seats.eq(excluded(t::seats)),
                t::high_intent_14d.eq(excluded(t::high_intent_14d)),
                t::last_active_at.eq(excluded(t::last_active_at)),
                t::scored_at.eq(excluded(t::scored_at)),
                t::account_id.eq(excluded(t::account_id)),
            ),
        ))
        .execute(conn)?;
    Ok(())
}

/// A threshold that a workspace crossed.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = stage_changes)]
pub struct StageChange {
    pub id: Uuid,
    pub workspace_id: WorkspaceId,
    pub from_stage: String,
    pub to_stage: String,
    /// Hundredths, after the change.
    pub score: i32,
    pub model_version: i32,
    pub changed_at: DateTime<Utc>,
}

pub(super) fn write_stage_changes(conn: &mut PgConnection, rows: &[StageChange]) -> Result<()> {
    diesel::insert_into(stage_changes::table).values(rows).execute(conn)?;
    Ok(())
}

/// A workspace's stage changes, newest first.
///
/// # Errors
/// When the database fails.
pub fn stage_changes(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    limit: i64,
) -> Result<Vec<StageChange>> {
    Ok(stage_changes::table
        .filter(stage_changes::workspace_id.eq(workspace))
        .order(stage_changes::changed_at.desc())
        .limit(limit)
        .select(StageChange::as_select())
        .load(conn)?)
}

/// Every workspace after `after` in the order of ids, at most `limit`: pages through all of them.
pub(super) fn workspaces_after(
    conn: &mut PgConnection,
    after: Option<WorkspaceId>,
    limit: i64,
) -> Result<Vec<WorkspaceId>> {
    use crate::schema::workspaces as w;
    let after = after.unwrap_or(WorkspaceId(Uuid::nil()));
    Ok(w::table.filter(w::id.gt(after)).order(w::id).limit(limit).select(w::id).load(conn)?)
}

/// How many workspaces there are.
pub(super) fn workspace_count(conn: &mut PgConnection) -> Result<i64> {
    Ok(crate::schema::workspaces::table.count().get_result(conn)?)
}

/// The stored scores of workspaces, in hundredths.
pub(super) fn scores_of(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, i32)>> {
    Ok(workspace_scores::table
        .filter(workspace_scores::workspace_id.eq_any(ids))
        .select((workspace_scores::workspace_id, workspace_scores::score))
        .load(conn)?)
}

/// A workspace as it stands, with its name.
#[derive(Clone, Debug, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub name: String,
}

/// The names of workspaces.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, ids: &[WorkspaceId]) -> Result<Vec<Named>> {
    Ok(diesel::sql_query("select id as workspace_id, name from workspaces where id = any($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .load(conn)?)
}

/// Scores and stages after a workspace in the order of ids, at most `limit`: pages through all.
pub(super) fn standings_after(
    conn: &mut PgConnection,
    after: WorkspaceId,
    limit: i64,
) -> Result<Vec<(WorkspaceId, i32, String)>> {
    use workspace_scores as t;
    Ok(t::table
        .filter(t::workspace_id.gt(after))
        .order(t::workspace_id)
        .limit(limit)
        .select((t::workspace_id, t::score, t::stage))
        .load(conn)?)
}

/// How many workspaces have a score.
pub(super) fn scored_count(conn: &mut PgConnection) -> Result<i64> {
    Ok(workspace_scores::table.count().get_result(conn)?)
}
