//! The conditions of a list of workspaces as SQL: filter, order and place, with their values apart.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, Date, Integer, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::filter::{Cursor, Filter, Owner};
use super::sort::SortKey;
use crate::identity::host;
use crate::ids::MemberId;

/// What a row's place is, as SQL.
pub(super) fn expression(key: SortKey, falling: bool) -> &'static str {
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
pub(super) fn id_column(key: SortKey) -> &'static str {
    if key == SortKey::Name { "w.id" } else { "s.workspace_id" }
}

/// The directions of value and id: those of an index, read forwards or backwards.
pub(super) fn directions(key: SortKey, falling: bool) -> (&'static str, &'static str) {
    match (key, falling) {
        (SortKey::Name, false) => ("asc", "asc"),
        (SortKey::Name, true) => ("desc", "desc"),
        (SortKey::LastActive, true) => ("desc nulls last", "asc"),
        (SortKey::LastActive, false) => ("asc nulls first", "desc"),
        (_, true) => ("desc", "asc"),
        (_, false) => ("asc", "desc"),
    }
}

/// The joins that the conditions of a filter need, and the order of names.
pub(super) fn joins(filter: &Filter, by_name: bool) -> String {
    let mut joins = String::new();
    if filter.kind.is_some() || by_name {
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

pub(super) enum Bind {
    Text(String),
    Texts(Vec<&'static str>),
    Id(Uuid),
    Int(i32),
    Day(NaiveDate),
    At(DateTime<Utc>),
}

/// A statement under construction: its values, in the order of their numbers.
#[derive(Default)]
pub(super) struct Sql {
    binds: Vec<Bind>,
}

impl Sql {
    /// Takes a value in and gives its place, `$1`.
    pub(super) fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    /// The workspaces that a search finds, found once.
    pub(super) fn matches(&mut self, filter: &Filter) -> String {
        if filter.search.is_empty() {
            return String::new();
        }
        let part = self.bind(Bind::Text(like(&host::stored(&filter.search))));
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

    pub(super) fn conditions(
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
    pub(super) fn after(&mut self, cursor: Cursor, key: SortKey, falling: bool) -> String {
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

    pub(super) fn query(self, text: String) -> BoxedSqlQuery<'static, Pg, SqlQuery> {
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
pub(super) fn like(text: &str) -> String {
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
