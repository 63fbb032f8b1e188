//! Use cases of webhook endpoints and their secrets, one transaction each.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde_json::json;
use uuid::Uuid;

use super::signature::Secret;
use super::store;
use super::store_webhooks::{self, Endpoint, Kind};
use crate::error::{Error, Result};
use crate::ids::SourceId;
use crate::team::audit::{self, Actor};
use crate::team::ops as team;
use crate::web::role::May;

/// How long the old secret goes on working, unless somebody says otherwise.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// It works no longer than this beside a new one.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(30);

/// What a new endpoint is to take.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Stripe's events of one mode, signed with the secret that Stripe shows.
    Stripe {
        /// `whsec_…`, pasted.
        secret: String,
        /// Whether real money is meant.
        livemode: bool,
    },
    /// Standard Webhooks for a source, signed with a secret that Ripen makes.
    Events(SourceId),
}

/// Adds an endpoint with its first secret; the answer holds a secret that Ripen made, for the only
/// time.
///
/// # Errors
/// [`Error::Invalid`] at `name`, `secret` or `source`.
pub fn create(
    conn: &mut PgConnection,
    by: &Actor,
    name: &str,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<(Endpoint, Option<Secret>)> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "Say in up to 200 letters what sends to this address."));
    }
    let (kind, source_id, livemode) = match wanted {
        Wanted::Stripe { livemode, .. } => (Kind::Stripe, None, Some(*livemode)),
        Wanted::Events(source) => {
            store::find(conn, *source).map_err(|_| {
                Error::invalid("source", "Choose the source whose events these are.")
            })?;
            (Kind::Events, Some(*source), None)
        }
    };
    team::hold_right(conn, by, May::ManageKeys)?;
    let (secret, shown) = match wanted {
        Wanted::Stripe { secret, .. } => (pasted(secret)?, None),
        Wanted::Events(_) => {
            let made = Secret::random();
            (made.clone(), Some(made))
        }
    };
    let endpoint = Endpoint {
        id: Uuid::now_v7(),
        kind: kind.key().to_owned(),
        name: name.to_owned(),
        source_id,
        livemode,
        created_at: now,
        revoked_at: None,
    };
    store_webhooks::insert(conn, &endpoint)?;
    store_webhooks::add_secret(conn, Uuid::now_v7(), endpoint.id, &secret, by.id, now, now)?;
    let detail =
        json!({"name": name, "kind": kind.key(), "livemode": livemode, "hint": secret.hint()});
    record(conn, by, "webhook.created", endpoint.id, &detail, now)?;
    Ok((endpoint, shown))
}

/// Gives an endpoint another secret: one pasted from Stripe, else one that Ripen makes and the
/// answer holds. The one before goes on working until `old_until`, so that nothing is refused
/// while the sender changes over.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] for a closed endpoint, [`Error::Invalid`] at `secret` or
/// `until`.
pub fn rotate(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    typed: &str,
    old_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Secret>> {
    team::hold_right(conn, by, May::ManageKeys)?;
    let endpoint = open(conn, id)?;
    check_until(old_until, now)?;
    let (secret, shown) = if endpoint.kind == Kind::Stripe.key() {
        (pasted(typed)?, None)
    } else {
        let made = Secret::random();
        (made.clone(), Some(made))
    };
    if store_webhooks::valid(conn, id, now)?.iter().any(|(_, known)| *known == secret) {
        return Err(Error::invalid("secret", "This secret is in use already: paste the new one."));
    }
    store_webhooks::add_secret(conn, Uuid::now_v7(), id, &secret, by.id, old_until, now)?;
    let detail = json!({"hint": secret.hint(), "old_until": old_until});
    record(conn, by, "webhook.rotated", id, &detail, now)?;
    Ok(shown)
}

/// Closes an endpoint for good; deliveries to it get 410.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when it was closed before.
pub fn revoke(
    conn: &mut PgConnection,
    by: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Endpoint> {
    let endpoint = open(conn, id)?;
    store_webhooks::revoke(conn, id, now)?;
    record(conn, by, "webhook.revoked", id, &json!({"name": endpoint.name}), now)?;
    Ok(endpoint)
}

/// Refuses an end that is past or too far.
///
/// # Errors
/// [`Error::Invalid`] at `until`.
pub fn check_until(until: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if until < now - TimeDelta::minutes(1) || until > now + LONGEST_OVERLAP {
        return Err(Error::invalid(
            "until",
            "Choose an end between now and 30 days from now for the old one.",
        ));
    }
    Ok(())
}

fn open(conn: &mut PgConnection, id: Uuid) -> Result<Endpoint> {
    let endpoint = store_webhooks::find(conn, id)?;
    if endpoint.revoked_at.is_some() {
        return Err(Error::Conflict(format!("“{}” was closed before.", endpoint.name)));
    }
    Ok(endpoint)
}

fn pasted(text: &str) -> Result<Secret> {
    let text = text.trim();
    let fits = text.starts_with("whsec_")
        && (12..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(Secret::new(text))
    } else {
        Err(Error::invalid(
            "secret",
            "Paste the signing secret of the endpoint in Stripe's dashboard: it begins with whsec_.",
        ))
    }
}

fn record(
    conn: &mut PgConnection,
    by: &Actor,
    action: &str,
    id: Uuid,
    detail: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    audit::record(conn, by, action, ("webhook", &id.to_string()), detail, now)
}
