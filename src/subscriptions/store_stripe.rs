//! The SQL of what Stripe told: events, subscriptions, customers.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::stripe::event::{About, Customer, Event};
use crate::error::Result;
use crate::ids::WorkspaceId;

/// Keeps an event unless it is known; tells whether it was new.
///
/// # Errors
/// When the database fails.
pub fn keep_event(
    conn: &mut PgConnection,
    event: &Event,
    by: (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<bool> {
    let (subscription, customer, key, payload) = match &event.about {
        About::Subscription(told) => (
            Some(told.snapshot.id.as_str()),
            told.snapshot.customer.as_deref(),
            told.key.as_str(),
            Some(serde_json::json!({"object": told.object, "previous": told.previous})),
        ),
        About::Customer(customer) => {
            let invoiced = customer.invoiced.as_ref().map(|one| one.subscription.as_str());
            (invoiced, Some(customer.id.as_str()), "", None)
        }
        About::Session(session) => {
            (Some(session.subscription.as_str()), session.customer.as_deref(), "", None)
        }
        About::Other | About::Thin => (None, None, "", None),
    };
    let kept = diesel::sql_query(
        "insert into stripe_events (id, endpoint_id, livemode, created_at, type, api_version, subscription_id,
             customer_id, key, payload, received_at, secret_id, outcome)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'received')
         on conflict (id) do nothing",
    )
    .bind::<Text, _>(&event.id)
    .bind::<SqlUuid, _>(by.0)
    .bind::<Bool, _>(event.livemode)
    .bind::<Timestamptz, _>(event.created)
    .bind::<Text, _>(&event.kind)
    .bind::<Nullable<Text>, _>(event.api_version.as_deref())
    .bind::<Nullable<Text>, _>(subscription)
    .bind::<Nullable<Text>, _>(customer)
    .bind::<Text, _>(key)
    .bind::<Nullable<Jsonb>, _>(payload)
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(by.1)
    .execute(conn)?;
    Ok(kept == 1)
}

/// Notes what became of an event.
///
/// # Errors
/// When the database fails.
pub fn conclude(conn: &mut PgConnection, id: &str, outcome: &str) -> Result<()> {
    diesel::sql_query("update stripe_events set outcome = $2 where id = $1")
        .bind::<Text, _>(id)
        .bind::<Text, _>(outcome)
        .execute(conn)?;
    Ok(())
}

/// An event about a subscription, as it was kept.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of stripe_events")]
pub struct Kept {
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
}

/// The events about a subscription of one second.
///
/// # Errors
/// When the database fails.
pub fn of_second(conn: &mut PgConnection, id: &str, at: DateTime<Utc>) -> Result<Vec<Kept>> {
    Ok(diesel::sql_query(
        "select type as kind, key, payload from stripe_events
         where subscription_id = $1 and created_at = $2 and payload is not null
         order by id limit 200",
    )
    .bind::<Text, _>(id)
    .bind::<Timestamptz, _>(at)
    .load(conn)?)
}

/// Whose a subscription is, as Stripe says.
#[derive(Clone, Debug, Default, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "columns of stripe_subscriptions and stripe_customers")]
pub struct Claim {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Bool)]
    pub livemode: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub named_workspace: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub session_workspace: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_workspace: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub session_reference: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub said_at: DateTime<Utc>,
}

impl Claim {
    /// The workspaces that Stripe names, the strongest word first: the subscription (or its invoice), the
    /// checkout session, the customer.
    fn named(&self) -> impl Iterator<Item = WorkspaceId> {
        let names = [&self.named_workspace, &self.session_workspace, &self.customer_workspace];
        names.into_iter().flatten().map(|name| WorkspaceId::of(name))
    }

    /// The first workspace that Stripe names, whether or not anybody has heard of it.
    #[must_use]
    pub fn may_come(&self) -> Option<WorkspaceId> {
        self.named().next()
    }

    /// All that could be meant, the strongest word first; a reference may be anything else as well.
    #[must_use]
    pub fn candidates(&self) -> Vec<WorkspaceId> {
        let reference = self.session_reference.as_deref().map(WorkspaceId::of);
        self.named().chain(reference).collect()
    }
}

/// Writes down whose a subscription is, by the newest word.
///
/// # Errors
/// When the database fails.
pub fn write_claim(conn: &mut PgConnection, claim: &Claim, now: DateTime<Utc>) -> Result<()> {
    diesel::sql_query(
        "insert into stripe_subscriptions (id, livemode, customer_id, named_workspace, said_at, heard_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set
             livemode = excluded.livemode, customer_id = excluded.customer_id,
             named_workspace = excluded.named_workspace, said_at = excluded.said_at",
    )
    .bind::<Text, _>(&claim.id)
    .bind::<Bool, _>(claim.livemode)
    .bind::<Nullable<Text>, _>(claim.customer_id.as_deref())
    .bind::<Nullable<Text>, _>(claim.named_workspace.as_deref())
    .bind::<Timestamptz, _>(claim.said_at)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Writes down that an invoice names the workspace of a subscription, by the newest one that does;
/// of one second the greater name.
///
/// # Errors
/// When the database fails.
pub fn write_invoiced(
    conn: &mut PgConnection,
    event: &Event,
    customer: &Customer,
    (subscription, workspace): (&str, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into stripe_subscriptions as s (id, livemode, customer_id, said_at, heard_at, invoiced_workspace,
             invoiced_at)
         values ($1, $2, $3, 'epoch', $4, $5, $6)
         on conflict (id) do update set
             invoiced_workspace = excluded.invoiced_workspace, invoiced_at = excluded.invoiced_at
         where s.invoiced_at is null
            or (s.invoiced_at, s.invoiced_workspace) < (excluded.invoiced_at, excluded.invoiced_workspace)",
    )
    .bind::<Text, _>(subscription)
    .bind::<Bool, _>(event.livemode)
    .bind::<Text, _>(&customer.id)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(workspace)
    .bind::<Timestamptz, _>(event.created)
    .execute(conn)?;
    Ok(())
}

/// Which subscriptions are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Their ids.
    pub ids: Vec<String>,
    /// All of these customers.
    pub customers: BTreeSet<String>,
    /// All that name these workspaces, by the product's ids.
    pub workspaces: BTreeSet<String>,
}

/// Whose these subscriptions are; locked until the transaction ends. What the newest event about a
/// subscription names goes before what an invoice names.
///
/// # Errors
/// When the database fails.
pub fn claims(conn: &mut PgConnection, wanted: &Wanted) -> Result<Vec<Claim>> {
    Ok(diesel::sql_query(
        "select s.id, s.livemode, s.customer_id,
                coalesce(s.named_workspace, s.invoiced_workspace) as named_workspace, s.session_workspace,
                c.named_workspace as customer_workspace, s.session_reference, s.said_at
         from stripe_subscriptions s left join stripe_customers c on c.id = s.customer_id
         where s.id in (
             select id from stripe_subscriptions
             where id = any($1) or customer_id = any($2) or coalesce(named_workspace, invoiced_workspace) = any($3)
             union select id from stripe_subscriptions where session_workspace = any($3)
             union select id from stripe_subscriptions where session_reference = any($3)
             union select o.id from stripe_subscriptions o join stripe_customers m on m.id = o.customer_id
                   where m.named_workspace = any($3))
         order by s.id for update of s",
    )
    .bind::<Array<Text>, _>(&wanted.ids)
    .bind::<Array<Text>, _>(wanted.customers.iter().collect::<Vec<_>>())
    .bind::<Array<Text>, _>(wanted.workspaces.iter().collect::<Vec<_>>())
    .load(conn)?)
}

/// What could say to which workspace a subscription belongs.
#[derive(Clone, Debug, Default, QueryableByName)]
pub struct Clues {
    /// Those of its candidates that exist.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub existing: Vec<WorkspaceId>,
    /// The workspace to which a person mapped the customer.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub mapped: Option<WorkspaceId>,
    /// The workspaces whose traits name the customer: two at most, for one alone counts.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub by_trait: Vec<WorkspaceId>,
}

/// The clues about each of these subscriptions.
///
/// # Errors
/// When the database fails.
pub fn clues(conn: &mut PgConnection, claims: &[Claim]) -> Result<Vec<(Claim, Clues)>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let mut candidates: (Vec<i32>, Vec<WorkspaceId>) = (Vec::new(), Vec::new());
    for (place, claim) in (1..).zip(claims) {
        for candidate in claim.candidates() {
            candidates.0.push(place);
            candidates.1.push(candidate);
        }
    }
    let clues: Vec<Clues> = diesel::sql_query(
        "select array(select w.id from unnest($2::integer[], $3::uuid[]) as n (place, id)
                      join workspaces w on w.id = n.id where n.place = t.place) as existing,
                (select workspace_id from stripe_customers c where c.id = t.customer) as mapped,
                array(select w.id from workspaces w
                      where md5(w.traits ->> 'stripe_customer_id') = md5(t.customer)
                        and w.traits ->> 'stripe_customer_id' = t.customer
                      order by w.id limit 2) as by_trait
         from unnest($1::text[]) with ordinality as t (customer, place)
         order by t.place",
    )
    .bind::<Array<Nullable<Text>>, _>(
        claims.iter().map(|claim| claim.customer_id.as_deref()).collect::<Vec<_>>(),
    )
    .bind::<Array<diesel::sql_types::Int4>, _>(candidates.0)
    .bind::<Array<SqlUuid>, _>(candidates.1)
    .load(conn)?;
    Ok(claims.iter().cloned().zip(clues).collect())
}

/// Notes the workspaces that subscriptions were found to be of.
///
/// # Errors
/// When the database fails.
pub fn found(conn: &mut PgConnection, found: &[(String, Option<WorkspaceId>)]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update stripe_subscriptions s set workspace_id = t.workspace_id
         from unnest($1::text[], $2::uuid[]) as t (id, workspace_id)
         where s.id = t.id and s.workspace_id is distinct from t.workspace_id",
    )
    .bind::<Array<Text>, _>(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(found.iter().map(|(_, of)| *of).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Writes down who pays; what Stripe does not say this time stays.
///
/// # Errors
/// When the database fails.
pub fn write_customer(
    conn: &mut PgConnection,
    customer: &Customer,
    said_at: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into stripe_customers (id, name, email_domain, said_at) values ($1, $2, $3, $4)
         on conflict (id) do update set
             name = case when stripe_customers.said_at <= excluded.said_at
                         then coalesce(excluded.name, stripe_customers.name)
                         else coalesce(stripe_customers.name, excluded.name) end,
             email_domain = case when stripe_customers.said_at <= excluded.said_at
                         then coalesce(excluded.email_domain, stripe_customers.email_domain)
                         else coalesce(stripe_customers.email_domain, excluded.email_domain) end,
             said_at = greatest(stripe_customers.said_at, excluded.said_at)",
    )
    .bind::<Text, _>(&customer.id)
    .bind::<Nullable<Text>, _>(customer.name.as_deref())
    .bind::<Nullable<Text>, _>(customer.email_domain.as_deref())
    .bind::<Timestamptz, _>(said_at)
    .execute(conn)?;
    Ok(())
}

/// Maps a customer to a workspace, or to none.
///
/// # Errors
/// When the database fails.
pub fn map_customer(
    conn: &mut PgConnection,
    id: &str,
    workspace: Option<WorkspaceId>,
    by: Option<crate::ids::MemberId>,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into stripe_customers (id, said_at, workspace_id, mapped_by, mapped_at)
         values ($1, 'epoch', $2, $3, $4)
         on conflict (id) do update set workspace_id = excluded.workspace_id,
             mapped_by = excluded.mapped_by, mapped_at = excluded.mapped_at",
    )
    .bind::<Text, _>(id)
    .bind::<Nullable<SqlUuid>, _>(workspace)
    .bind::<Nullable<SqlUuid>, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Forgets events that came before this.
///
/// # Errors
/// When the database fails.
pub fn forget_events(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    diesel::sql_query("delete from stripe_events where received_at < $1")
        .bind::<Timestamptz, _>(before)
        .execute(conn)?;
    Ok(())
}
