//! Use cases of keys whose maker leaves the team or gets a lesser role, each within the transaction
//! of that change. The caller has the key ring forget once it is committed.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::key::Scope;
use super::makers::{Choice, Held, Kind, capped, most};
use super::{store, store_makers};
use crate::error::Result;
use crate::ids::MemberId;
use crate::team::audit::{self, Actor};
use crate::web::role::Role;

/// What became of somebody's keys and secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// So many were revoked.
    pub revoked: usize,
    /// So many wait for a decision.
    pub waiting: usize,
}

/// Decides about the keys and secrets of somebody who is deactivated. Where `choice` says nothing,
/// API keys are revoked, since nobody has their maker's rights any more; the others, with which
/// products send, go on and wait for a decision.
///
/// # Errors
/// The database's.
pub fn maker_deactivated(
    conn: &mut PgConnection,
    by: &Actor,
    member: MemberId,
    choice: impl Fn(&Held) -> Option<Choice>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let (mut outcome, mut waiting) = (Outcome::default(), Vec::new());
    for held in store_makers::held(conn, Some(member), now)? {
        let default = (held.kind == Kind::ApiKey).then_some(Choice::Revoke);
        match choice(&held).or(default) {
            Some(choice) => {
                choose(conn, by, &held, choice, "its maker was deactivated", now)?;
                outcome.revoked += usize::from(choice == Choice::Revoke);
            }
            None => waiting.push(held),
        }
    }
    outcome.waiting = waiting.len();
    ask(conn, by, member, &waiting, now)?;
    Ok(outcome)
}

/// Takes from the API keys of somebody with a lesser role what they may not do themselves any more,
/// and has all their keys and secrets wait for a decision.
///
/// # Errors
/// The database's.
pub fn maker_demoted(
    conn: &mut PgConnection,
    by: &Actor,
    member: MemberId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let waiting = store_makers::held(conn, Some(member), now)?;
    for held in waiting.iter().filter(|held| held.kind == Kind::ApiKey) {
        if let Some(scopes) = capped(&held.scopes, most(role)) {
            store_makers::set_scopes(conn, held.id, &scopes)?;
            let names = |scopes: &[Scope]| -> Vec<&str> {
                scopes.iter().map(|scope| scope.name()).collect()
            };
            let detail = json!({
                "name": held.name, "prefix": held.mark, "before": names(&held.scopes),
                "after": names(&scopes), "because": format!("its maker became {}", role.key()),
            });
            let subject = ("api_key", &*held.id.to_string());
            audit::record(conn, by, "api_key.capped", subject, &detail, now)?;
        }
    }
    ask(conn, by, member, &waiting, now)?;
    Ok(Outcome { revoked: 0, waiting: waiting.len() })
}

/// Decides about those of somebody's keys and secrets for which there is a choice. Says how many
/// still wait.
///
/// # Errors
/// The database's.
pub fn decide(
    conn: &mut PgConnection,
    by: &Actor,
    member: MemberId,
    choice: impl Fn(&Held) -> Option<Choice>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for held in store_makers::held(conn, Some(member), now)? {
        match choice(&held) {
            Some(choice) => {
                choose(conn, by, &held, choice, "its maker may make no keys any more", now)?;
                outcome.revoked += usize::from(choice == Choice::Revoke);
            }
            None => outcome.waiting += usize::from(held.waits_since.is_some()),
        }
    }
    Ok(outcome)
}

fn ask(
    conn: &mut PgConnection,
    by: &Actor,
    member: MemberId,
    waiting: &[Held],
    now: DateTime<Utc>,
) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    store_makers::set_review(conn, waiting, Some(now))?;
    let detail: Vec<Value> = waiting.iter().map(named).collect();
    let subject = ("member", &*member.to_string());
    audit::record(conn, by, "member.keys_to_review", subject, &json!({ "keys": detail }), now)
}

fn named(held: &Held) -> Value {
    json!({ "kind": held.kind.key(), "id": held.id, "name": held.name, "mark": held.mark })
}

fn choose(
    conn: &mut PgConnection,
    by: &Actor,
    held: &Held,
    choice: Choice,
    because: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let id: Uuid = held.id;
    if choice == Choice::Revoke {
        match held.kind {
            Kind::ApiKey => {
                store::revoke_api_key(conn, id, now)?;
            }
            Kind::WriteKey | Kind::ServerKey => {
                store::revoke_write_key(conn, id, now)?;
            }
            Kind::WebhookSecret => store_makers::end_secret(conn, id, now)?,
        }
    }
    store_makers::set_review(conn, std::slice::from_ref(held), None)?;
    let noun = match held.kind {
        Kind::ApiKey => "api_key",
        Kind::WriteKey | Kind::ServerKey => "write_key",
        Kind::WebhookSecret => "webhook_secret",
    };
    let verb = match choice {
        Choice::Keep => "kept",
        Choice::Revoke => "revoked",
    };
    let mut detail = named(held);
    if let Some(members) = detail.as_object_mut() {
        members.insert("because".to_owned(), because.into());
    }
    audit::record(conn, by, &format!("{noun}.{verb}"), (noun, &id.to_string()), &detail, now)
}
