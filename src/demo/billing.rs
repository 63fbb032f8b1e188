//! What companies pay, as the events that Stripe sends about it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Calendar;
use super::company::Workspace;
use super::story::{Plan, Story};

/// Names what Stripe would have named: the same in every run.
const STRIPE: Uuid = Uuid::from_u128(0x2c0d_9f4e_51b7_4a6c_8e02_7374_7269_7065);
/// The layout of the events.
const VERSION: &str = "2026-10-28.endive";
/// One customer in so many was made by hand, without the product's id of its workspace.
const BY_HAND: usize = 8;

/// One event of Stripe's.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The body of the delivery.
    pub body: Value,
}

/// All events about everybody who pays, in the order of their times: customers and their
/// subscriptions, some of them without a workspace, and one customer that nobody knows.
#[must_use]
pub fn notices(workspaces: &[Workspace], calendar: Calendar) -> Vec<Notice> {
    let paying = workspaces.iter().filter(|workspace| workspace.company.is_some());
    let paying = paying.filter(|workspace| span(workspace).is_some());
    let mut all: Vec<Notice> = paying
        .enumerate()
        .flat_map(|(nth, workspace)| life(workspace, nth % BY_HAND != 3, calendar))
        .chain(stranger(calendar))
        .filter(|notice| notice.at <= calendar.end)
        .collect();
    all.sort_by_cached_key(|notice| (notice.at, notice.body.to_string()));
    all
}

/// Ages of the days between which a workspace pays; none for one that never did.
fn span(workspace: &Workspace) -> Option<(i64, Option<i64>)> {
    let born = workspace.course.born;
    match workspace.course.plan {
        Plan::Paid(age) => {
            let ends = (workspace.story == Story::Downgraded).then_some(4);
            Some((age.max(1).min(born), ends))
        }
        Plan::Canceled(until) => Some((born, Some(until))),
        Plan::Free | Plan::Trial(_) => None,
    }
}

fn life(workspace: &Workspace, named: bool, calendar: Calendar) -> Vec<Notice> {
    let (Some((from, until)), Some(company)) = (span(workspace), &workspace.company) else {
        return Vec::new();
    };
    let (plan, dollars) = workspace.price();
    let customer = named_by_stripe("cus", &workspace.id);
    let began = calendar.at(from, 541);
    let seats = workspace.seats();
    let mut subscription = Subscription {
        id: named_by_stripe("sub", &workspace.id),
        customer: customer.clone(),
        workspace: named.then(|| workspace.id.clone()),
        plan,
        dollars,
        began,
        next: next_period(began, calendar.end),
        seats,
    };
    let payer = json!({"id": customer, "object": "customer", "name": workspace.name,
                       "email": format!("billing@{}", company.domain), "metadata": {}});
    let mut notices =
        vec![notice("customer.created", began - TimeDelta::minutes(1), payer, &Value::Null)];
    let grew = from.saturating_sub(9);
    let grows = workspace.story == Story::Expanding && grew > 0;
    if grows {
        subscription.seats = seats.saturating_sub(3).max(1);
    }
    let first = subscription.object("active", None);
    notices.push(notice("customer.subscription.created", began, first, &Value::Null));
    if grows {
        let before = json!({"items": {"data": [{"quantity": subscription.seats}]}});
        subscription.seats = seats;
        let at = calendar.at(grew, 655);
        let object = subscription.object("active", None);
        notices.push(notice("customer.subscription.updated", at, object, &before));
    }
    if let Some(until) = until {
        let at = calendar.at(until, 1000);
        let object = subscription.object("canceled", Some(at));
        notices.push(notice("customer.subscription.deleted", at, object, &Value::Null));
    }
    notices
}

/// A customer of whom neither the name nor the address says anything.
fn stranger(calendar: Calendar) -> Vec<Notice> {
    let began = calendar.at(12, 705);
    let customer = named_by_stripe("cus", "stranger");
    let subscription = Subscription {
        id: named_by_stripe("sub", "stranger"),
        customer: customer.clone(),
        workspace: None,
        plan: "pro",
        dollars: 19,
        began,
        next: next_period(began, calendar.end),
        seats: 6,
    };
    let payer = json!({"id": customer, "object": "customer", "name": "R. Castellan",
                       "email": "r.castellan.invoices@gmail.com", "metadata": {}});
    let object = subscription.object("active", None);
    vec![
        notice("customer.created", began - TimeDelta::minutes(1), payer, &Value::Null),
        notice("customer.subscription.created", began, object, &Value::Null),
    ]
}

struct Subscription {
    id: String,
    customer: String,
    workspace: Option<String>,
    plan: &'static str,
    dollars: i64,
    began: DateTime<Utc>,
    next: DateTime<Utc>,
    seats: i64,
}

impl Subscription {
    fn object(&self, status: &str, ended: Option<DateTime<Utc>>) -> Value {
        let metadata = match &self.workspace {
            Some(id) => json!({ "workspace_id": id }),
            None => json!({}),
        };
        json!({
            "id": self.id, "object": "subscription", "customer": self.customer, "status": status,
            "currency": "usd", "created": self.began.timestamp(), "start_date": self.began.timestamp(),
            "metadata": metadata, "cancel_at_period_end": false, "discounts": [],
            "ended_at": ended.map(|at| at.timestamp()),
            "items": {"has_more": false, "data": [{
                "id": self.id.replace("sub_", "si_"), "quantity": self.seats,
                "current_period_start": (self.next - PERIOD).timestamp(),
                "current_period_end": self.next.timestamp(),
                "price": {"id": format!("price_{}", self.plan), "nickname": self.plan,
                          "unit_amount": self.dollars.saturating_mul(100), "billing_scheme": "per_unit",
                          "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"}},
            }]},
        })
    }
}

/// Near enough to a month for a demo.
const PERIOD: TimeDelta = TimeDelta::days(30);

/// The end of the period that `now` lies in.
fn next_period(began: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let mut next = began + PERIOD;
    while next <= now {
        next += PERIOD;
    }
    next
}

fn named_by_stripe(kind: &str, name: &str) -> String {
    let id = Uuid::new_v5(&STRIPE, format!("{kind}/{name}").as_bytes()).simple().to_string();
    format!("{kind}_{}", id.chars().take(14).collect::<String>())
}

fn notice(kind: &str, at: DateTime<Utc>, object: Value, before: &Value) -> Notice {
    let of = object.get("id").and_then(Value::as_str).unwrap_or_default();
    let id = named_by_stripe("evt", &format!("{kind}/{of}"));
    let mut data = json!({ "object": object });
    if let (Value::Object(data), false) = (&mut data, before.is_null()) {
        data.insert("previous_attributes".to_owned(), before.clone());
    }
    let body = json!({"id": id, "object": "event", "api_version": VERSION, "created": at.timestamp(),
                      "livemode": true, "type": kind, "pending_webhooks": 1, "request": {"id": null},
                      "data": data});
    Notice { at, body }
}
