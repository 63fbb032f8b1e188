//! The SQL of what checkout sessions and customers say about whose a subscription is.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};

use super::stripe::event::{Customer, Event, Session};
use crate::error::Result;

/// Writes down which workspace the metadata of a customer name, by the newest event about the customer;
/// tells whether that changed.
///
/// # Errors
/// When the database fails.
pub fn write_customer_workspace(
    conn: &mut PgConnection,
    customer: &Customer,
    said_at: DateTime<Utc>,
) -> Result<bool> {
    let changed = diesel::sql_query(
        "update stripe_customers set named_workspace = $2, named_at = $3
         where id = $1 and (named_at is null or (named_at, coalesce(named_workspace, '')) < ($3, coalesce($2, '')))",
    )
    .bind::<Text, _>(&customer.id)
    .bind::<Nullable<Text>, _>(customer.workspace.as_deref())
    .bind::<Timestamptz, _>(said_at)
    .execute(conn)?;
    Ok(changed > 0)
}

/// Writes down what a checkout session says of its subscription, by the newest session; of one second the
/// greater words.
///
/// # Errors
/// When the database fails.
pub fn write_session(
    conn: &mut PgConnection,
    event: &Event,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "insert into stripe_subscriptions as s (id, livemode, customer_id, said_at, heard_at, session_workspace,
             session_reference, session_at)
         values ($1, $2, $3, 'epoch', $4, $5, $6, $7)
         on conflict (id) do update set
             customer_id = coalesce(s.customer_id, excluded.customer_id),
             session_workspace = excluded.session_workspace,
             session_reference = excluded.session_reference, session_at = excluded.session_at
         where s.session_at is null
            or (s.session_at, coalesce(s.session_workspace, ''), coalesce(s.session_reference, ''))
             < (excluded.session_at, coalesce(excluded.session_workspace, ''), coalesce(excluded.session_reference, ''))",
    )
    .bind::<Text, _>(&session.subscription)
    .bind::<Bool, _>(event.livemode)
    .bind::<Nullable<Text>, _>(session.customer.as_deref())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(session.workspace.as_deref())
    .bind::<Nullable<Text>, _>(session.reference.as_deref())
    .bind::<Timestamptz, _>(event.created)
    .execute(conn)?;
    Ok(())
}
