//! The SQL of the list of workspaces: a page of rows by keyset, counts by stage, words for filters.
//!
//! Rows come from the serving copy (`workspace_scores`) in the order of one of its indexes; what a
//! filter does not ask for is not joined.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

use super::filter::{Cursor, Filter, Owner, Query, STAGES, SortKey};
use crate::error::Result;
use crate::ids::{AccountId, MemberId, WorkspaceId};
use crate::schema::{accounts, team_members, workspace_scores, workspaces};

/// So many rows a page.
pub const PAGE: usize = 50;
/// Counting stops here: "more than 10,000" is as good.
pub const COUNTED: i64 = 10_000;

/// A workspace as lists show it. Scores in hundredths.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of workspaces and workspace_scores")]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
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
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Integer)]
    pub wau: i32,
    #[diesel(sql_type = Integer)]
    pub seats: i32,
    #[diesel(sql_type = Integer)]
    pub member_count: i32,
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

/// Days of trials are counted from here, as in [`expression`].
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
    let mut text = format!(
        "{matches}select w.id, w.external_id, w.name, w.type as kind, w.status,
                a.id as account_id, a.name as account_name, s.score, s.score_7d, s.stage,
                s.sparkline, s.reasons[1] as reason, s.wau, s.seats, s.member_count, s.plan_tier,
                s.trial_end_on, s.high_intent_14d, s.icp_fit_tier, s.last_active_at,
                o.member_id as owner_id, m.name as owner_name
         from workspace_scores s
         join workspaces w on w.id = s.workspace_id
         left join account_links al on al.workspace_id = s.workspace_id
         left join accounts a on a.id = al.account_id
         left join assignments o on o.workspace_id = s.workspace_id and o.ended_at is null
         left join team_members m on m.id = o.member_id
         where true"
    );
    let wanted = sql.conditions(&query.filter, &query.filter.stages, me, today);
    text.push_str(&wanted);
    if let Some(cursor) = query.after {
        text.push_str(&sql.after(cursor, key, falling));
    }
    let (direction, tie) = directions(key, falling);
    let _ = write!(
        text,
        " order by {} {direction}, {} {tie} limit {}",
        expression(key, falling),
        id_column(key),
        PAGE + 1
    );
    let mut rows: Vec<Row> = sql.query(text).load(conn)?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| row.cursor(key, falling));
    Ok(Page { rows, next })
}

/// What a row's place is, as SQL.
fn expression(key: SortKey, falling: bool) -> &'static str {
    match key {
        SortKey::Score => "s.score",
        SortKey::Change => "(s.score - coalesce(s.score_7d, s.score))",
        SortKey::Name => "lower(w.name)",
        SortKey::LastActive => "s.last_active_at",
        SortKey::Wau => "s.wau",
        SortKey::Intent => "s.high_intent_14d",
        SortKey::TrialEnd if falling => "coalesce(s.trial_end_on - date '2000-01-01', -1000000)",
        SortKey::TrialEnd => "coalesce(s.trial_end_on - date '2000-01-01', 1000000)",
    }
}

/// The id in the table whose index gives the order.
fn id_column(key: SortKey) -> &'static str {
    if key == SortKey::Name { "w.id" } else { "s.workspace_id" }
}

/// The directions of value and id: those of an index, read forwards or backwards.
fn directions(key: SortKey, falling: bool) -> (&'static str, &'static str) {
    match (key, falling) {
        (SortKey::Name, false) => ("asc", "asc"),
        (SortKey::Name, true) => ("desc", "desc"),
        (SortKey::LastActive, true) => ("desc nulls last", "asc"),
        (SortKey::LastActive, false) => ("asc nulls first", "desc"),
        (_, true) => ("desc", "asc"),
        (_, false) => ("asc", "desc"),
    }
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
    let joins = joins(filter);
    let conditions = sql.conditions(filter, &[], me, today);
    let text = format!(
        "{matches}select stages.stage, (select count(*) from (
             select 1 from workspace_scores s {joins}
             where s.stage = stages.stage {conditions} limit {}) bounded) as workspaces
         from unnest({stages}) with ordinality as stages (stage, place) order by place",
        COUNTED + 1
    );
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

/// The joins that the conditions of a filter need.
fn joins(filter: &Filter) -> String {
    let mut joins = String::new();
    if filter.kind.is_some() {
        joins.push_str(" join workspaces w on w.id = s.workspace_id");
    }
    if filter.account.is_some() {
        joins.push_str(" join account_links al on al.workspace_id = s.workspace_id");
    }
    if filter.owner.is_some() {
        joins.push_str(
            " left join assignments o on o.workspace_id = s.workspace_id and o.ended_at is null",
        );
    }
    joins
}

enum Bind {
    Text(String),
    Texts(Vec<&'static str>),
    Id(Uuid),
    Int(i32),
    Day(NaiveDate),
    At(DateTime<Utc>),
}

/// A statement under construction: its values, in the order of their numbers.
#[derive(Default)]
struct Sql {
    binds: Vec<Bind>,
}

impl Sql {
    /// Takes a value in and gives its place, `$1`.
    fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    /// The workspaces that a search finds, found once.
    fn matches(&mut self, filter: &Filter) -> String {
        if filter.search.is_empty() {
            return String::new();
        }
        let part = self.bind(Bind::Text(like(&filter.search)));
        format!(
            "with matches as materialized (
                 select id from workspaces
                 where name ilike {part} or external_id ilike {part} or website ilike {part}
                    or billing_domain ilike {part} or sso_domain ilike {part}
                 union
                 select workspace_id from account_links where account_id in (
                     select id from accounts where name ilike {part} or primary_domain ilike {part}
                     union select account_id from account_domains where domain ilike {part}))
             "
        )
    }

    fn conditions(
        &mut self,
        filter: &Filter,
        stages: &[&'static str],
        me: MemberId,
        today: NaiveDate,
    ) -> String {
        let mut text = String::new();
        if !filter.search.is_empty() {
            text.push_str(" and s.workspace_id in (select id from matches)");
        }
        if let [stage] = stages {
            let stage = self.bind(Bind::Text((*stage).to_owned()));
            let _ = write!(text, " and s.stage = {stage}");
        } else if !stages.is_empty() {
            let stages = self.bind(Bind::Texts(stages.to_vec()));
            let _ = write!(text, " and s.stage = any({stages})");
        }
        match filter.owner {
            None => {}
            Some(Owner::Nobody) => text.push_str(" and o.id is null"),
            Some(Owner::Me) => {
                let me = self.bind(Bind::Id(me.0));
                let _ = write!(text, " and o.member_id = {me}");
            }
            Some(Owner::Member(member)) => {
                let member = self.bind(Bind::Id(member.0));
                let _ = write!(text, " and o.member_id = {member}");
            }
        }
        if let Some(plan) = filter.plan {
            let plan = self.bind(Bind::Text(plan.to_owned()));
            let _ = write!(text, " and s.plan_tier = {plan}");
        }
        match filter.tier {
            None => {}
            Some("none") => text.push_str(" and s.icp_fit_tier is null"),
            Some(tier) => {
                let tier = self.bind(Bind::Text(tier.to_owned()));
                let _ = write!(text, " and s.icp_fit_tier = {tier}");
            }
        }
        if let Some(account) = filter.account {
            let account = self.bind(Bind::Id(account.0));
            let _ = write!(text, " and al.account_id = {account}");
        }
        if let Some(days) = filter.trial {
            let last = today.checked_add_days(Days::new(u64::from(days))).unwrap_or(today);
            let (from, to) = (self.bind(Bind::Day(today)), self.bind(Bind::Day(last)));
            let _ = write!(text, " and s.trial_end_on between {from} and {to}");
        }
        if let Some(seen) = filter.admin {
            let _ = write!(
                text,
                " and {}exists (select 1 from memberships ms where ms.workspace_id = s.workspace_id
                     and ms.role = 'admin' and ms.left_at is null)",
                if seen { "" } else { "not " }
            );
        }
        if let Some(kind) = filter.kind {
            let kind = self.bind(Bind::Text(kind.to_owned()));
            let _ = write!(text, " and w.type = {kind}");
        }
        text
    }

    /// What comes after a row. The first half of each condition can start inside an index.
    fn after(&mut self, cursor: Cursor, key: SortKey, falling: bool) -> String {
        let id = self.bind(Bind::Id(cursor.id.0));
        let value = match (key, cursor.value) {
            (SortKey::Name, _) => format!("(select lower(name) from workspaces where id = {id})"),
            (SortKey::LastActive, None) if falling => {
                return format!(" and s.last_active_at is null and s.workspace_id > {id}");
            }
            (SortKey::LastActive, None) => {
                return format!(" and (s.last_active_at is not null or s.workspace_id < {id})");
            }
            (SortKey::LastActive, Some(micros)) => {
                let at = DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH);
                self.bind(Bind::At(at))
            }
            (_, value) => {
                let number = value.and_then(|number| i32::try_from(number).ok()).unwrap_or(0);
                self.bind(Bind::Int(number))
            }
        };
        let (place, own_id) = (expression(key, falling), id_column(key));
        let (_, tie) = directions(key, falling);
        let beyond = if falling { "<" } else { ">" };
        let later = if tie == "asc" { ">" } else { "<" };
        let rest = format!(
            "{place} {beyond}= {value} and ({place} {beyond} {value} or {own_id} {later} {id})"
        );
        // Those that were never active come last.
        if key == SortKey::LastActive && falling {
            format!(" and (({rest}) or s.last_active_at is null)")
        } else {
            format!(" and {rest}")
        }
    }

    fn query(
        self,
        text: String,
    ) -> diesel::query_builder::BoxedSqlQuery<'static, Pg, diesel::query_builder::SqlQuery> {
        let query = diesel::sql_query(text).into_boxed::<Pg>();
        self.binds.into_iter().fold(query, |query, bind| match bind {
            Bind::Text(text) => query.bind::<Text, _>(text),
            Bind::Texts(texts) => query.bind::<Array<Text>, _>(texts),
            Bind::Id(id) => query.bind::<SqlUuid, _>(id),
            Bind::Int(number) => query.bind::<Integer, _>(number),
            Bind::Day(day) => query.bind::<Date, _>(day),
            Bind::At(at) => query.bind::<Timestamptz, _>(at),
        })
    }
}

/// A pattern that finds the text anywhere, its own `%` and `_` taken as they are.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
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
