//! The way of Stripe: signed events to the address of a webhook.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::billing::Notice;
use super::send::Client;
use crate::app::App;
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::sources::ops_webhooks::{self, Wanted};
use crate::sources::signature::Secret;
use crate::sources::store_webhooks::{self as store, Kind};
use crate::team::audit::Actor;

const NAME: &str = "Stripe, demo account";

/// Delivers all notices and one more that somebody else has signed. A later run delivers nothing when the
/// first one came to its end; else the same events once more, of which those that came are known.
///
/// # Errors
/// When the server or the database fails, or a signed delivery is not believed.
pub fn deliver(app: &App, client: &Client, notices: &[Notice]) -> Result<()> {
    let (endpoint, secret) = ensure_endpoint(app)?;
    let most = i64::try_from(notices.len()).unwrap_or(i64::MAX);
    let came = app.db.read(Pool::Work, |conn| store::deliveries(conn, endpoint, most))?;
    if came.len() >= notices.len() {
        return Ok(());
    }
    let path = format!("/webhooks/stripe/{endpoint}");
    let send = |notice: &Notice, secret: &Secret| {
        let body = notice.body.to_string();
        let signature = signature(secret, &body, app.clock.now())?;
        client.post(&path, ("stripe-signature", &signature), &body)
    };
    for notice in notices {
        let status = send(notice, &secret)?;
        if status != 200 {
            return Err(Error::Internal(format!("a delivery of Stripe's was answered {status}")));
        }
    }
    if let Some(forged) = notices.last() {
        send(forged, &Secret::new("whsec_of_another_account"))?;
    }
    Ok(())
}

/// The endpoint and a secret of it.
fn ensure_endpoint(app: &App) -> Result<(Uuid, Secret)> {
    let (actor, now) = (Actor::system(), app.clock.now());
    app.db.tx(Pool::Work, |conn| {
        let known = store::list(conn)?.into_iter().find(|endpoint| {
            endpoint.name == NAME
                && endpoint.kind == Kind::Stripe.key()
                && endpoint.revoked_at.is_none()
        });
        if let Some(endpoint) = known {
            let secret = store::valid(conn, endpoint.id, now)?.into_iter().next();
            let (_, secret) = secret.ok_or(Error::NotFound)?;
            return Ok((endpoint.id, secret));
        }
        // What Stripe's dashboard would have shown.
        let secret = Secret::random();
        let wanted = Wanted::Stripe { secret: secret.reveal().to_owned(), livemode: true };
        let (endpoint, _) = ops_webhooks::create(conn, &actor, NAME, &wanted, now)?;
        Ok((endpoint.id, secret))
    })
}

fn signature(secret: &Secret, body: &str, at: DateTime<Utc>) -> Result<String> {
    let time = at.timestamp();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(Error::internal)?;
    mac.update(format!("{time}.{body}").as_bytes());
    Ok(format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes())))
}
