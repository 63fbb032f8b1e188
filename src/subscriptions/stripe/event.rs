//! One event of Stripe's, of either generation.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::snapshot::{self, Snapshot, id_of, reference, workspace_of};
use crate::identity::domain::Email;

/// What a webhook delivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Such as `customer.subscription.updated`.
    pub kind: String,
    /// When it happened, to the second.
    pub created: DateTime<Utc>,
    /// Whether real money is meant.
    pub livemode: bool,
    /// The layout of the endpoint or account.
    pub api_version: Option<String>,
    /// What it is about.
    pub about: About,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// A subscription, with what Stripe says it was before.
    Subscription(Box<Told>),
    /// Who pays.
    Customer(Customer),
    /// A checkout that was completed and began a subscription.
    Session(Session),
    /// Something else, which says nothing about subscriptions.
    Other,
    /// A thin event of API v2: it holds no object.
    Thin,
}

/// A subscription as one event shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What it says.
    pub snapshot: Snapshot,
    /// `data.object`.
    pub object: Value,
    /// `data.previous_attributes`.
    pub previous: Option<Value>,
    /// The same for two events of the same change.
    pub key: String,
}

/// Who pays, as a customer or an invoice shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    /// As Stripe knows them.
    pub name: Option<String>,
    /// The part of the e-mail address after the @.
    pub email_domain: Option<String>,
    /// The product's id of the workspace, as the metadata of the customer name it; none of an invoice,
    /// which does not repeat them.
    pub workspace: Option<String>,
    /// What the invoice is for, if an invoice tells and it is for a subscription.
    pub invoiced: Option<Invoiced>,
}

/// A completed checkout session, as far as it says whose the subscription is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `sub_…`.
    pub subscription: String,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The product's id of the workspace, as the metadata of the session name it.
    pub workspace: Option<String>,
    /// `client_reference_id`: whatever the product gave, maybe the id of a workspace.
    pub reference: Option<String>,
}

/// The subscription of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoiced {
    /// `sub_…`.
    pub subscription: String,
    /// The workspace in the metadata of the subscription, as the invoice repeats it.
    pub workspace: Option<String>,
}

/// Why a body is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// No JSON, with where it went wrong.
    Json(String),
    /// JSON, but not an event.
    NoEvent,
}

/// Reads an event.
///
/// # Errors
/// When it is none. An event about something unknown is none of that.
pub fn read(body: &[u8]) -> Result<Event, Unreadable> {
    let mut event: Value =
        serde_json::from_slice(body).map_err(|error| Unreadable::Json(error.to_string()))?;
    without_nul(&mut event);
    let text = |name: &str| event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(id), Some(kind)) = (text("id"), text("type")) else {
        return Err(Unreadable::NoEvent);
    };
    if id.len() > 255 || kind.len() > 255 {
        return Err(Unreadable::NoEvent);
    }
    let is_thin = text("object") == Some("v2.core.event");
    let created = match event.get("created") {
        Some(Value::Number(seconds)) => {
            seconds.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        }
        // Thin events write their time in RFC 3339.
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let about = if is_thin { About::Thin } else { about(kind, &event)? };
    Ok(Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        created: created
            .filter(|at| (1970..=9999).contains(&chrono::Datelike::year(at)))
            .ok_or(Unreadable::NoEvent)?,
        livemode: event.get("livemode") == Some(&Value::Bool(true)),
        api_version: text("api_version").map(str::to_owned),
        about,
    })
}

fn about(kind: &str, event: &Value) -> Result<About, Unreadable> {
    let object = event.pointer("/data/object").filter(|object| object.is_object());
    let object = object.ok_or(Unreadable::NoEvent)?;
    if kind.starts_with("customer.subscription.") {
        // A status that nobody knows yet is no reason to have Stripe send it again for three days.
        let Some(snapshot) = snapshot::read(object) else { return Ok(About::Other) };
        let previous = event.pointer("/data/previous_attributes").cloned();
        return Ok(About::Subscription(Box::new(Told {
            snapshot,
            object: object.clone(),
            previous,
            key: key(kind, object),
        })));
    }
    if matches!(kind, "checkout.session.completed" | "checkout.session.async_payment_succeeded") {
        return Ok(session(object).map_or(About::Other, About::Session));
    }
    let customer = if kind.starts_with("invoice.") {
        invoice(object)
    } else if matches!(kind, "customer.created" | "customer.updated") {
        customer(object)
    } else {
        None
    };
    Ok(customer.map_or(About::Other, About::Customer))
}

fn session(object: &Value) -> Option<Session> {
    Some(Session {
        subscription: object.get("subscription").and_then(id_of)?,
        customer: object.get("customer").and_then(id_of),
        workspace: workspace_of(object),
        reference: object.get("client_reference_id").and_then(reference),
    })
}

fn customer(object: &Value) -> Option<Customer> {
    Some(Customer {
        id: id_of(object)?,
        name: line(object, "name"),
        email_domain: line(object, "email").and_then(|email| domain(&email)),
        workspace: workspace_of(object),
        invoiced: None,
    })
}

fn invoice(object: &Value) -> Option<Customer> {
    // Since API 2025-03-31 below `parent`, before that on the invoice itself.
    let newer = object.pointer("/parent/subscription_details");
    let details = newer.or_else(|| object.get("subscription_details"));
    let subscription = newer
        .and_then(|details| details.get("subscription"))
        .or_else(|| object.get("subscription"));
    let invoiced = subscription
        .and_then(id_of)
        .map(|subscription| Invoiced { subscription, workspace: details.and_then(workspace_of) });
    Some(Customer {
        id: object.get("customer").and_then(id_of)?,
        name: line(object, "customer_name"),
        email_domain: line(object, "customer_email").and_then(|email| domain(&email)),
        workspace: None,
        invoiced,
    })
}

fn line(object: &Value, name: &str) -> Option<String> {
    let text = object.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(255).collect())
}

fn domain(email: &str) -> Option<String> {
    Email::parse(email).map(|email| email.domain)
}

/// Two events of one change have different ids but the same type and object.
fn key(kind: &str, object: &Value) -> String {
    let digest = Sha256::digest(format!("{kind}\n{object}").as_bytes());
    hex::encode(digest.get(..8).unwrap_or_default())
}

/// PostgreSQL keeps no NUL; nobody's name has one.
fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(all) => all.iter_mut().for_each(without_nul),
        Value::Object(members) => {
            let odd: Vec<String> =
                members.keys().filter(|key| key.contains('\0')).cloned().collect();
            for key in odd {
                members.remove(&key);
            }
            members.values_mut().for_each(without_nul);
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
