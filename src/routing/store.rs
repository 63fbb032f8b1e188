//! The SQL of rule sets and decisions, and how things stand with a batch of workspaces.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};

use super::plan::{Held, Last, Standing};
use super::rule::{Channel, Destination, RuleSet};
use crate::error::{Error, Result};
use crate::ids::{DecisionId, MemberId, WorkspaceId};
use crate::schema::{event_definitions, key_events, routing_decisions, routing_rule_sets};
use crate::usage::dictionary;
use crate::usage::signal::{Fields, Value};

/// Rows a statement may insert at once: PostgreSQL takes 65,535 parameters.
const CHUNK: usize = 1_000;

/// The published rule set with its version; none before the first.
///
/// # Errors
/// Internal when the document can't be read; the database's.
pub fn published(conn: &mut PgConnection) -> Result<Option<(i32, RuleSet)>> {
    let found: Option<(i32, serde_json::Value)> = routing_rule_sets::table
        .filter(routing_rule_sets::published_at.is_not_null())
        .order(routing_rule_sets::version.desc())
        .select((routing_rule_sets::version, routing_rule_sets::document))
        .first(conn)
        .optional()?;
    let Some((version, document)) = found else { return Ok(None) };
    Ok(Some((version, serde_json::from_value(document).map_err(Error::internal)?)))
}

/// Publishes a rule set under a version unless it is taken.
///
/// # Errors
/// The database's.
pub fn publish(
    conn: &mut PgConnection,
    version: i32,
    rules: &RuleSet,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(routing_rule_sets::table)
        .values((
            routing_rule_sets::version.eq(version),
            routing_rule_sets::document.eq(serde_json::to_value(rules).map_err(Error::internal)?),
            routing_rule_sets::created_by.eq(by),
            routing_rule_sets::created_at.eq(now),
            routing_rule_sets::published_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(())
}

/// A workspace as routing sees it.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Which.
    pub workspace: WorkspaceId,
    /// Hundredths.
    pub score: i32,
    /// The model that gave it.
    pub model_version: i32,
    /// The signal dictionary with the ownership fields of this moment.
    pub fields: Fields,
    /// How things stand.
    pub standing: Standing,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    workspace_id: WorkspaceId,
    #[diesel(sql_type = Integer)]
    score: i32,
    #[diesel(sql_type = Integer)]
    model_version: i32,
    #[diesel(sql_type = Jsonb)]
    signals: serde_json::Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last_id: Option<DecisionId>,
    #[diesel(sql_type = Nullable<Text>)]
    last_destination: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last_owner: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    last_rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_rule_name: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    last_overlays: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    entered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    side_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    owner: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_team: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    assigned_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    accepted: bool,
    #[diesel(sql_type = Bool)]
    by_person: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    open_task: Option<MemberId>,
    #[diesel(sql_type = Jsonb)]
    closed: serde_json::Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    account_owner: Option<MemberId>,
    #[diesel(sql_type = Nullable<Text>)]
    account_owner_name: Option<String>,
}

const SCORED: &str = "\
select s.workspace_id, s.score, s.model_version, s.signals, \
  d.id as last_id, d.destination as last_destination, d.owner_id as last_owner, \
  d.rule as last_rule, d.rule_name as last_rule_name, d.overlays as last_overlays, d.decided_at, \
  (select min(x.decided_at) from routing_decisions x where x.workspace_id = s.workspace_id \
    and x.decided_at > coalesce((select max(y.decided_at) from routing_decisions y \
      where y.workspace_id = s.workspace_id and y.destination <> d.destination), '-infinity')) \
    as entered_at, \
  (select min(x.decided_at) from routing_decisions x where x.workspace_id = s.workspace_id \
    and x.decided_at > coalesce((select max(y.decided_at) from routing_decisions y \
      where y.workspace_id = s.workspace_id and (y.destination in ('sdr', 'ae', 'csm')) \
        <> (d.destination in ('sdr', 'ae', 'csm'))), '-infinity')) as side_since, \
  a.member_id as owner, m.name as owner_name, m.team as owner_team, a.assigned_at, \
  a.accepted_at is not null as accepted, coalesce(a.source <> 'routing', false) as by_person, \
  t.assignee_id as open_task, \
  coalesce((select jsonb_object_agg(c.play, c.at) from (select p.payload->>'play' as play, \
    max(p.completed_at) as at from tasks p where p.workspace_id = s.workspace_id \
    and p.completed_at is not null and p.outcome <> 'reassigned' \
    and p.payload->>'play' is not null group by 1) c), '{}') as closed, \
  o.member_id as account_owner, om.name as account_owner_name \
from workspace_scores s \
left join lateral (select x.id, x.destination, x.owner_id, x.decided_at, x.rule_name, \
    x.trace->>'rule' as rule, x.trace->'overlays' as overlays from routing_decisions x \
  where x.workspace_id = s.workspace_id order by x.decided_at desc, x.id desc limit 1) d on true \
left join assignments a on a.workspace_id = s.workspace_id and a.ended_at is null \
left join team_members m on m.id = a.member_id \
left join tasks t on t.workspace_id = s.workspace_id and t.completed_at is null and t.kind = 'pql' \
left join account_links l on l.workspace_id = s.workspace_id \
  and (l.confidence >= 80 or l.pinned_by is not null) \
left join account_owners o on o.account_id = l.account_id \
left join team_members om on om.id = o.member_id \
where s.workspace_id = any($1) order by s.score desc, s.workspace_id";

/// The scored workspaces among these, the highest score first, as of this moment.
///
/// # Errors
/// Internal when stored signals can't be read; the database's.
pub fn scored(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<Vec<Scored>> {
    let rows: Vec<Row> = sql_query(SCORED).bind::<Array<SqlUuid>, _>(workspaces).load(conn)?;
    let mut scored = rows.into_iter().map(Row::read).collect::<Result<Vec<_>>>()?;
    // Only a play that was worked on before asks for evidence.
    let worked: Vec<WorkspaceId> = scored
        .iter()
        .filter(|one| !one.standing.closed.is_empty())
        .map(|one| one.workspace)
        .collect();
    let mut evidence = last_intent(conn, &worked, now)?;
    for one in &mut scored {
        one.standing.last_intent_at = evidence.remove(&one.workspace);
    }
    Ok(scored)
}

/// The newest event of the category intent in the cool-down before `now`, by workspace.
fn last_intent(
    conn: &mut PgConnection,
    workspaces: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<WorkspaceId, DateTime<Utc>>> {
    if workspaces.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<String> = event_definitions::table
        .filter(event_definitions::category.eq("intent"))
        .filter(event_definitions::muted_at.is_null())
        .select(event_definitions::key)
        .load(conn)?;
    let rows: Vec<(WorkspaceId, Option<DateTime<Utc>>)> = key_events::table
        .filter(key_events::workspace_id.eq_any(workspaces))
        .filter(key_events::event_key.eq_any(keys))
        .filter(key_events::occurred_at.gt(now - super::plan::COOL_DOWN))
        .filter(key_events::occurred_at.le(now))
        .group_by(key_events::workspace_id)
        .select((key_events::workspace_id, diesel::dsl::max(key_events::occurred_at)))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(workspace, at)| Some((workspace, at?))).collect())
}

impl Row {
    fn read(self) -> Result<Scored> {
        let mut fields = dictionary::restore(self.signals).map_err(Error::internal)?;
        fields.set("owner", self.owner_name);
        fields.set("owner_team", self.owner_team);
        fields.set("account_owner", self.account_owner_name);
        fields.set("is_unowned", self.owner.is_none());
        fields.set("routing_destination", self.last_destination.clone());
        fields.set("last_routed_at", self.decided_at);
        fields.set("open_tasks", i64::from(self.open_task.is_some()));
        let destination = self.last_destination.as_deref().and_then(Destination::from_key);
        let overlays: Vec<Channel> = self
            .last_overlays
            .map(serde_json::from_value)
            .transpose()
            .map_err(Error::internal)?
            .unwrap_or_default();
        let last = match (self.last_id, destination, self.decided_at) {
            (Some(id), Some(destination), Some(at)) => Some(Last {
                id,
                destination,
                owner: self.last_owner,
                rule: self.last_rule.unwrap_or_default(),
                rule_name: self.last_rule_name.unwrap_or_default(),
                overlays,
                // None when two decisions bear the same time.
                entered_at: self.entered_at.unwrap_or(at),
                side_since: self.side_since.unwrap_or(at),
            }),
            _ => None,
        };
        let held = self.owner.zip(self.assigned_at).map(|(member, assigned_at)| Held {
            member,
            assigned_at,
            accepted: self.accepted,
            by_person: self.by_person,
        });
        let territory = match fields.get("territory") {
            Value::Text(territory) => Some(territory.clone()),
            _ => None,
        };
        Ok(Scored {
            workspace: self.workspace_id,
            score: self.score,
            model_version: self.model_version,
            fields,
            standing: Standing {
                last,
                held,
                open_task: self.open_task,
                closed: serde_json::from_value(self.closed).map_err(Error::internal)?,
                last_intent_at: None,
                account_owner: self.account_owner,
                territory,
            },
        })
    }
}

/// Holds the scores of these workspaces until the transaction ends, by id: one router at a time.
///
/// # Errors
/// The database's.
pub fn lock_scores(conn: &mut PgConnection, workspaces: &[WorkspaceId]) -> Result<()> {
    sql_query(
        "select 1 from workspace_scores where workspace_id = any($1) order by workspace_id for update",
    )
    .bind::<Array<SqlUuid>, _>(workspaces)
    .execute(conn)?;
    Ok(())
}

/// A decision to be written.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = routing_decisions)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// About which workspace.
    pub workspace_id: WorkspaceId,
    /// Of the rules.
    pub rule_set_version: i32,
    /// Of the score.
    pub model_version: i32,
    /// Hundredths.
    pub score: i32,
    /// The rule that matched.
    pub rule_name: String,
    /// Its destination's key.
    pub destination: String,
    /// Who owns it from now on.
    pub owner_id: Option<MemberId>,
    /// Why nobody does.
    pub unowned_reason: Option<String>,
    /// Business hours to the first touch.
    pub sla_hours: Option<i32>,
    /// The whole record.
    pub trace: serde_json::Value,
    /// The fields used.
    pub facts: serde_json::Value,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// Writes decisions.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut PgConnection, decisions: &[NewDecision]) -> Result<()> {
    for chunk in decisions.chunks(CHUNK) {
        diesel::insert_into(routing_decisions::table).values(chunk).execute(conn)?;
    }
    Ok(())
}
