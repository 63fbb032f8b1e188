//! The SQL of subscriptions whose workspace nobody knows.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use crate::error::Result;
use crate::ids::WorkspaceId;

/// So many rows a page holds.
const MOST: i64 = 500;

/// A subscription of Stripe's, with what Stripe says of it.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of stripe_subscriptions and what belongs to them")]
pub struct Told {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub customer: String,
    #[diesel(sql_type = Bool)]
    pub livemode: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub named_workspace: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_mapped: bool,
    #[diesel(sql_type = Timestamptz)]
    pub heard_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email_domain: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan: Option<String>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub mrr_cents: i64,
    #[diesel(sql_type = Nullable<Int4>)]
    pub seats: Option<i32>,
}

const TOLD: &str = "select s.id, coalesce(s.customer_id, '') as customer, s.livemode,
       coalesce(s.named_workspace, s.invoiced_workspace, s.session_workspace, c.named_workspace,
                s.session_reference) as named_workspace,
       w.id is not null as is_mapped, s.heard_at, c.name, c.email_domain, t.status, t.plan, t.currency,
       t.mrr_cents, t.seats_purchased as seats
from stripe_subscriptions s
join lateral (select * from subscription_changes t where t.subscription_id = s.id
              order by t.at desc, t.place desc limit 1) t on true
left join stripe_customers c on c.id = s.customer_id
left join workspaces w on w.id = s.workspace_id";

/// Subscriptions without a workspace that is known, those that pay most first.
///
/// # Errors
/// When the database fails.
pub fn unmapped(conn: &mut PgConnection) -> Result<Vec<Told>> {
    Ok(diesel::sql_query(format!(
        "{TOLD} where w.id is null order by t.mrr_cents desc, s.customer_id, s.id limit $1"
    ))
    .bind::<BigInt, _>(MOST)
    .load(conn)?)
}

/// All subscriptions of a customer.
///
/// # Errors
/// When the database fails.
pub fn of_customer(conn: &mut PgConnection, customer: &str) -> Result<Vec<Told>> {
    Ok(diesel::sql_query(format!("{TOLD} where s.customer_id = $1 order by s.id limit $2"))
        .bind::<Text, _>(customer)
        .bind::<BigInt, _>(MOST)
        .load(conn)?)
}

/// A customer that a person mapped.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of stripe_customers and names")]
pub struct Mapped {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    pub workspace_id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub workspace: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub by: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// The customers that people mapped, the newest first.
///
/// # Errors
/// When the database fails.
pub fn mapped(conn: &mut PgConnection) -> Result<Vec<Mapped>> {
    Ok(diesel::sql_query(
        "select c.id, c.name, w.id as workspace_id, w.name as workspace, m.name as by, c.mapped_at as at
         from stripe_customers c join workspaces w on w.id = c.workspace_id
         left join team_members m on m.id = c.mapped_by
         order by c.mapped_at desc, c.id limit $1",
    )
    .bind::<BigInt, _>(MOST)
    .load(conn)?)
}

/// A workspace that may be a customer's.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of workspaces")]
pub struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub id: WorkspaceId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Array<Text>)]
    pub evidence: Vec<String>,
}

/// Workspaces that look like a customer's, with the evidence. A domain of free mail is none.
///
/// # Errors
/// When the database fails.
pub fn suggestions(
    conn: &mut PgConnection,
    domain: Option<&str>,
    name: Option<&str>,
) -> Result<Vec<Candidate>> {
    Ok(diesel::sql_query(
        "select w.id, w.external_id, w.name, array_agg(e.text order by e.weight desc, e.text) as evidence
         from (select id, 'Its billing goes to ' || $1 as text, 3 as weight
               from workspaces where billing_domain = $1
               union all
               select l.workspace_id, 'Its account ' || a.name || ' has the domain ' || $1, 2
               from account_domains d join accounts a on a.id = d.account_id
               join account_links l on l.account_id = a.id where d.domain = $1
               union all
               select id, 'It has the same name', 1 from workspaces where lower(name) = lower($2)) e
         join workspaces w on w.id = e.id
         group by w.id order by sum(e.weight) desc, w.name, w.id limit 10",
    )
    .bind::<Nullable<Text>, _>(domain)
    .bind::<Nullable<Text>, _>(name)
    .load(conn)?)
}

/// Workspaces whose id is this or whose name holds it.
///
/// # Errors
/// When the database fails.
pub fn search(conn: &mut PgConnection, text: &str) -> Result<Vec<Candidate>> {
    Ok(diesel::sql_query(
        "select id, external_id, name, array[]::text[] as evidence from workspaces
         where external_id = $1 or strpos(lower(name), lower($1)) > 0
         order by external_id = $1 desc, length(name), name, id limit 20",
    )
    .bind::<Text, _>(text)
    .load(conn)?)
}

/// The name of a workspace.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn workspace_name(conn: &mut PgConnection, id: WorkspaceId) -> Result<String> {
    use crate::schema::workspaces;
    Ok(workspaces::table.find(id).select(workspaces::name).first(conn)?)
}
