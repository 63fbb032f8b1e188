//! Reads all that a handoff tells about one workspace: a few statements, each on one workspace.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

use super::handoff::{KeyEvent, Knowledge, Person};
use crate::error::{Error, Result};
use crate::ids::{UserId, WorkspaceId};
use crate::schema::{event_definitions, key_events};
use crate::scoring::card::Scorecard;
use crate::scoring::lead::Why;
use crate::usage::dictionary;
use crate::workspaces::store_days;

/// More than a handoff shows, so that the opener finds the integration behind five page views.
const EVENTS_READ: i64 = 20;

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    account: Option<String>,
    #[diesel(sql_type = Integer)]
    score: i32,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = Array<Text>)]
    reasons: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    next_best_action: Option<String>,
    #[diesel(sql_type = Jsonb)]
    signals: serde_json::Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    card: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Date>)]
    trial_start_on: Option<NaiveDate>,
}

/// What is known about a workspace at `now`, scored or not.
///
/// # Errors
/// Not found; the database's.
pub fn knowledge(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> Result<Knowledge> {
    let head: Head = sql_query(
        "select w.name, w.external_id, a.name as account, coalesce(s.score, 0) as score, \
           coalesce(s.stage, 'not_pql') as stage, coalesce(s.reasons, '{}') as reasons, \
           s.next_best_action, coalesce(s.signals, '{}') as signals, s.card, \
           (select min(t.trial_start_on) from subscriptions t \
             where t.workspace_id = w.id and t.status = 'trialing') as trial_start_on \
         from workspaces w \
         left join workspace_scores s on s.workspace_id = w.id \
         left join account_links l on l.workspace_id = w.id \
           and (l.confidence >= 80 or l.pinned_by is not null) \
         left join accounts a on a.id = l.account_id \
         where w.id = $1",
    )
    .bind::<SqlUuid, _>(workspace)
    .get_result(conn)?;
    // A card that an older version wrote otherwise is as good as none until the next score.
    let card: Option<Scorecard> = head.card.and_then(|card| serde_json::from_value(card).ok());
    let people = people(conn, workspace, card.as_ref())?;
    Ok(Knowledge {
        workspace: head.name,
        external_id: head.external_id,
        account: head.account,
        score: head.score,
        stage: head.stage,
        reasons: head.reasons,
        next_best_action: head.next_best_action,
        events: events(conn, workspace, now)?,
        people,
        features: features(conn, workspace, now)?,
        trial_start_on: head.trial_start_on,
        fields: dictionary::restore(head.signals).map_err(Error::internal)?,
    })
}

fn events(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> Result<Vec<KeyEvent>> {
    type Row = (DateTime<Utc>, Uuid, String, String);
    let rows: Vec<Row> =
        store_days::newest(conn, workspace, Some(now), EVENTS_READ, |conn, span, limit| {
            Ok(key_events::table
                .filter(key_events::workspace_id.eq(workspace))
                .filter(key_events::occurred_at.le(now))
                .filter(key_events::occurred_at.ge(span.from))
                .filter(key_events::occurred_at.lt(span.to))
                .order((key_events::occurred_at.desc(), key_events::id.desc()))
                .limit(limit)
                .select((
                    key_events::occurred_at,
                    key_events::user_id,
                    key_events::event_key,
                    key_events::feature,
                ))
                .load(conn)?)
        })?;
    // Names and labels by themselves: these tables may live on another machine than the events.
    let ids: Vec<Uuid> = rows.iter().map(|row| row.1).collect();
    let names = names(conn, &ids)?;
    let labels: BTreeMap<String, String> = event_definitions::table
        .select((event_definitions::key, event_definitions::label))
        .load::<(String, String)>(conn)?
        .into_iter()
        .collect();
    Ok(rows
        .into_iter()
        .map(|(at, user, key, feature)| KeyEvent {
            at,
            label: labels
                .get(&key)
                .cloned()
                .unwrap_or_else(|| crate::usage::dictionary::in_words(&key)),
            key,
            feature,
            who: names.get(&user).cloned().unwrap_or_else(|| "somebody".to_owned()),
        })
        .collect())
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>> {
    let rows: Vec<Named> = sql_query(
        "select u.id, coalesce(c.name, c.email, u.name, u.email, c.external_id, u.external_id) as name \
         from product_users u left join product_users c on c.id = u.canonical_id \
         where u.id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = SqlUuid)]
    id: UserId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    job_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    persona: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_active_at: Option<DateTime<Utc>>,
}

/// Who counts first: those whom the score counts as admins and champions, then whoever was active last;
/// one row a person.
fn people(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    card: Option<&Scorecard>,
) -> Result<Vec<Person>> {
    let lead = card.and_then(|card| card.lead_user.as_ref()).map(|lead| lead.user_id);
    let buyers: Vec<UserId> =
        card.iter().flat_map(|card| &card.buyers).map(|buyer| buyer.user_id).collect();
    let rows: Vec<Member> = sql_query(
        "select * from ( \
           select distinct on (c.id) c.id, coalesce(c.name, c.email, c.external_id) as name, c.email, \
             c.job_title, m.role, m.persona, max(m.last_active_at) over (partition by c.id) as last_active_at \
           from memberships m \
           join product_users u on u.id = m.user_id \
           join product_users c on c.id = u.canonical_id \
           where m.workspace_id = $1 and m.left_at is null and c.kind = 'known' \
           order by c.id, array_position(array['admin', 'member', 'viewer'], m.role), array_position( \
             array['champion', 'economic_buyer', 'evaluator', 'builder'], m.persona) \
         ) p \
         order by (p.id = any($2) or p.role = 'admin' or p.persona in ('champion', 'economic_buyer')) \
             desc nulls last, \
           p.last_active_at desc nulls last, p.id limit 50",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Array<SqlUuid>, _>(buyers)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Person {
            is_lead: lead == Some(row.id),
            is_suggested: card.and_then(|card| card.buyer(row.id)) == Some(Why::SuggestedChampion),
            name: row.name,
            email: row.email,
            job_title: row.job_title,
            role: row.role,
            persona: row.persona,
            last_active_at: row.last_active_at,
        })
        .collect())
}

#[derive(QueryableByName)]
struct Feature {
    #[diesel(sql_type = Text)]
    feature: String,
}

fn features(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let until = now.date_naive();
    let since = until.checked_sub_days(Days::new(29)).unwrap_or(until);
    let rows: Vec<Feature> = sql_query(
        "select feature from usage_days \
         where workspace_id = $1 and day between $2 and $3 and feature <> '' \
         group by feature order by sum(events) desc, feature limit 8",
    )
    .bind::<SqlUuid, _>(workspace)
    .bind::<Date, _>(since)
    .bind::<Date, _>(until)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.feature).collect())
}
