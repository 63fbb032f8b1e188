//! The SQL of the list of workspaces: a page of rows by keyset, counts by stage, words for filters.
//!
//! Rows come from the serving copy (`workspace_scores`) in the order of one of its indexes; what a
//! filter does not ask for is not joined.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};

use super::filter::{Cursor, Filter, Owner, Query, STAGES};
use super::sort::SortKey;
use super::store_query::{Bind, Sql, directions, expression, id_column, joins, like};
use crate::error::Result;
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::schema::{accounts, team_members, workspace_scores, workspaces};

/// So many rows a page.
pub const PAGE: usize = 50;
/// Counting stops here: "more than 5,000" is as good.
pub const COUNTED: i64 = 5_000;

/// A workspace as lists show it. Scores in hundredths.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of workspaces and workspace_scores")]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account_name: Option<String>,
    #[diesel(sql_type = Integer)]
    pub score: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    pub score_7d: Option<i32>,
    #[diesel(sql_type = Text)]
    pub stage: String,
    #[diesel(sql_type = Array<Nullable<Integer>>)]
    pub sparkline: Vec<Option<i32>>,
    #[diesel(sql_type = Integer)]
    pub wau: i32,
    #[diesel(sql_type = Integer)]
    pub seats: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_tier: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Integer)]
    pub high_intent_14d: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub icp_fit_tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_name: Option<String>,
}

impl Row {
    /// The place of this row in an order, for the page after it.
    #[must_use]
    pub fn cursor(&self, key: SortKey, falling: bool) -> Cursor {
        let value = match key {
            SortKey::Score => Some(i64::from(self.score)),
            SortKey::Change => Some(i64::from(self.score - self.score_7d.unwrap_or(self.score))),
            SortKey::Name => None,
            SortKey::LastActive => self.last_active_at.map(|at| at.timestamp_micros()),
            SortKey::Wau => Some(i64::from(self.wau)),
            SortKey::Intent => Some(i64::from(self.high_intent_14d)),
            SortKey::TrialEnd => Some(match self.trial_end_on {
                Some(day) => day.signed_duration_since(MILLENNIUM).num_days(),
                None if falling => NEVER_ENDED,
                None => NEVER_ENDS,
            }),
        };
        Cursor { value, id: self.id }
    }
}

/// Days of trials are counted from here, as in `store_query::expression`.
const MILLENNIUM: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// A workspace without a trial comes last in either direction.
const NEVER_ENDS: i64 = 1_000_000;
const NEVER_ENDED: i64 = -1_000_000;

/// A page of rows; whether another follows.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most [`PAGE`].
    pub rows: Vec<Row>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// One page in the order asked for. A row that changes its value between two pages may be seen
/// twice or not at all; a row that does not change is seen once.
///
/// # Errors
/// When the database fails.
pub fn page(
    conn: &mut PgConnection,
    query: &Query,
    me: MemberId,
    today: NaiveDate,
) -> Result<Page> {
    let (key, falling) = (query.sort.key, query.sort.falling);
    let mut sql = Sql::default();
    let matches = sql.matches(&query.filter);
    let joins = joins(&query.filter, key == SortKey::Name);
    let wanted = sql.conditions(&query.filter, &query.filter.stages, me, today);
    let after = query.after.map(|cursor| sql.after(cursor, key, falling)).unwrap_or_default();
    let (place, own_id) = (expression(key, falling), id_column(key));
    let (direction, tie) = directions(key, falling);
    let order = format!("order by {place} {direction}, {own_id} {tie}");
    // Chosen first, dressed afterwards: an order without an index sorts narrow rows only.
    let text = format!(
        "{matches}select w.id, w.name, w.type as kind, w.status, a.id as account_id,
                a.name as account_name, s.score, s.score_7d, s.stage, s.sparkline, s.wau, s.seats,
                s.plan_tier, s.trial_end_on, s.high_intent_14d, s.icp_fit_tier, s.last_active_at,
                o.member_id as owner_id, m.name as owner_name
         from (select s.workspace_id from workspace_scores s {joins}
               where true {wanted} {after} {order} limit {}) chosen
         join workspace_scores s on s.workspace_id = chosen.workspace_id
         join workspaces w on w.id = chosen.workspace_id
         left join account_links al on al.workspace_id = chosen.workspace_id
         left join accounts a on a.id = al.account_id
         left join assignments o on o.workspace_id = chosen.workspace_id and o.ended_at is null
         left join team_members m on m.id = o.member_id
         {order}",
        PAGE + 1
    );
    let mut rows: Vec<Row> = sql.query(text).load(conn)?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| row.cursor(key, falling));
    Ok(Page { rows, next })
}

/// A stage and how many rows the rest of the filter leaves it, counted up to [`COUNTED`] + 1.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct StageCount {
    /// A key of [`STAGES`].
    #[diesel(sql_type = Text)]
    pub stage: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub workspaces: i64,
}

/// Counts by stage under the rest of the filter, in the order of [`STAGES`].
///
/// # Errors
/// When the database fails.
pub fn stage_counts(
    conn: &mut PgConnection,
    filter: &Filter,
    me: MemberId,
    today: NaiveDate,
) -> Result<Vec<StageCount>> {
    let mut sql = Sql::default();
    let matches = sql.matches(filter);
    let stages = sql.bind(Bind::Texts(STAGES.map(|(key, _)| key).to_vec()));
    let joins = joins(filter, false);
    let conditions = sql.conditions(filter, &[], me, today);
    let text = if filter.search.is_empty() {
        format!(
            "select stages.stage, (select count(*) from (
                 select 1 from workspace_scores s {joins}
                 where s.stage = stages.stage {conditions} limit {}) bounded) as workspaces
             from unnest({stages}) with ordinality as stages (stage, place) order by place",
            COUNTED + 1
        )
    } else {
        // What a search finds is found already: counting it once is cheaper than by stage.
        format!(
            "{matches}, counts as (
                 select s.stage, count(*) as workspaces from workspace_scores s {joins}
                 where true {conditions} group by s.stage)
             select stages.stage, coalesce(counts.workspaces, 0) as workspaces
             from unnest({stages}) with ordinality as stages (stage, place)
             left join counts using (stage) order by place"
        )
    };
    Ok(sql.query(text).load(conn)?)
}

/// How many rows a filter leaves, up to [`COUNTED`] + 1.
///
/// # Errors
/// When the database fails.
pub fn count(
    conn: &mut PgConnection,
    filter: &Filter,
    me: MemberId,
    today: NaiveDate,
) -> Result<i64> {
    let stages = stage_counts(conn, filter, me, today)?;
    Ok(total(&stages, filter))
}

/// How many rows of the counted stages the filter shows.
#[must_use]
pub fn total(counts: &[StageCount], filter: &Filter) -> i64 {
    counts
        .iter()
        .filter(|one| filter.stages.is_empty() || filter.stages.contains(&one.stage.as_str()))
        .map(|one| one.workspaces)
        .sum()
}

/// Members that can own a workspace, by name.
///
/// # Errors
/// When the database fails.
pub fn owners(conn: &mut PgConnection) -> Result<Vec<(MemberId, String)>> {
    Ok(team_members::table
        .filter(team_members::deactivated_at.is_null())
        .order((team_members::name, team_members::id))
        .select((team_members::id, team_members::name))
        .load(conn)?)
}

/// The names of the account and the member that a filter names, where there are such.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut PgConnection, filter: &Filter) -> Result<(Option<String>, Option<String>)> {
    let account = match filter.account {
        Some(id) => accounts::table.find(id).select(accounts::name).first(conn).optional()?,
        None => None,
    };
    let member = match filter.owner {
        Some(Owner::Member(id)) => {
            team_members::table.find(id).select(team_members::name).first(conn).optional()?
        }
        _ => None,
    };
    Ok((account, member))
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    holds: bool,
}

/// Whether any workspace has a score, and whether any workspace was seen at all.
///
/// # Errors
/// When the database fails.
pub fn any(conn: &mut PgConnection) -> Result<(bool, bool)> {
    let mut ask = |table: &str| -> Result<bool> {
        let text = format!("select exists (select 1 from {table}) as holds");
        Ok(diesel::sql_query(text).get_result::<Exists>(conn)?.holds)
    };
    Ok((ask("workspace_scores")?, ask("workspaces")?))
}

/// Workspaces that a search finds and that wait for their first score, at most five.
///
/// # Errors
/// When the database fails.
pub fn unscored(conn: &mut PgConnection, search: &str) -> Result<Vec<(WorkspaceId, String)>> {
    let part = like(search);
    Ok(workspaces::table
        .left_join(workspace_scores::table.on(workspace_scores::workspace_id.eq(workspaces::id)))
        .filter(workspace_scores::workspace_id.is_null())
        .filter(workspaces::name.ilike(&part).or(workspaces::external_id.ilike(&part)))
        .order((workspaces::name, workspaces::id))
        .limit(5)
        .select((workspaces::id, workspaces::name))
        .load(conn)?)
}
