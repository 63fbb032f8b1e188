//! The SQL of subscriptions in the API.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz};
use serde::Serialize;

use crate::error::Result;

/// Which subscriptions.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the parameters of these names")]
pub struct Wanted {
    pub limit: i64,
    pub after: Option<String>,
    pub workspace: Option<String>,
    pub customer: Option<String>,
    pub status: Option<String>,
}

/// A subscription as the API says it.
#[derive(Clone, Debug, QueryableByName, Serialize)]
#[allow(missing_docs, reason = "documented in static/openapi.json")]
pub struct Row {
    #[diesel(sql_type = Text)]
    pub subscription_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub workspace_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub plan: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub billing_period: Option<String>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub mrr_cents: i64,
    #[diesel(sql_type = Nullable<Int4>)]
    pub seats_purchased: Option<i32>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_start_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    pub trial_end_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub canceled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Date>)]
    pub ends_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    pub renewal_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_id: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    pub flags: Vec<String>,
    #[diesel(sql_type = Text)]
    pub origin: String,
    #[diesel(sql_type = Bool)]
    pub counts: bool,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// Traits say nothing that counts where a billing system speaks for the workspace.
const ROWS: &str = "select s.id as subscription_id, w.external_id as workspace_id, s.status, s.plan, s.billing_period,
       s.currency, s.mrr_cents, s.seats_purchased, s.trial_start_on, s.trial_end_on, s.started_at, s.canceled_at,
       s.ends_on, s.renewal_on, s.customer_id, s.flags, s.origin, s.updated_at,
       s.origin <> 'traits' or not exists (select from subscriptions o
           where o.workspace_id = s.workspace_id and o.origin <> 'traits') as counts
from subscriptions s left join workspaces w on w.id = s.workspace_id";

/// Subscriptions by id, one more than asked for.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut PgConnection, wanted: &Wanted) -> Result<Vec<Row>> {
    Ok(diesel::sql_query(format!(
        "{ROWS} where ($1::text is null or s.id > $1)
           and ($2::text is null or w.external_id = $2)
           and ($3::text is null or s.customer_id = $3)
           and ($4::text is null or s.status = $4)
         order by s.id limit $5"
    ))
    .bind::<Nullable<Text>, _>(wanted.after.as_deref())
    .bind::<Nullable<Text>, _>(wanted.workspace.as_deref())
    .bind::<Nullable<Text>, _>(wanted.customer.as_deref())
    .bind::<Nullable<Text>, _>(wanted.status.as_deref())
    .bind::<BigInt, _>(wanted.limit + 1)
    .load(conn)?)
}

/// One subscription.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is none.
pub fn find(conn: &mut PgConnection, id: &str) -> Result<Row> {
    Ok(diesel::sql_query(format!("{ROWS} where s.id = $1")).bind::<Text, _>(id).get_result(conn)?)
}
