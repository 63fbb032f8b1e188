//! A subscription as an event shows it, in either layout of Stripe's API.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::price::{Monthly, is_free, monthly, price_of};
use crate::subscriptions::terms::{Terms, is_paying, status_named};

/// A subscription with who it belongs to, as far as Stripe says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// `sub_…`.
    pub id: String,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The product's id of the workspace, as the metadata name it.
    pub workspace: Option<String>,
    /// What was agreed.
    pub terms: Terms,
}

/// Reads a subscription (`data.object`); none when it has no id or a status that nobody knows.
///
/// MRR is the sum of the fixed items in the subscription's currency, before discounts, while the subscription is `active` or
/// `past_due` and money is collected. A subscription all of whose items have a fixed price of 0 is flagged
/// `free`. Seats: see [`seats`].
#[must_use]
pub fn read(object: &Value) -> Option<Snapshot> {
    let id = text(object, "id")?;
    let status = status_named(&text(object, "status")?)?;
    let items = object.pointer("/items/data").and_then(Value::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    let mut terms = Terms::new(status);
    let mut flags = Flags::default();
    let lead = lead(items);
    let currency = text(object, "currency").or_else(|| text(price_of(lead?), "currency"));
    terms.currency = currency.map_or_else(|| "usd".to_owned(), |code| code.to_lowercase());
    let fixed = revenue(items, &terms.currency, &mut flags);
    let is_set = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
    flags.set("more_items", object.pointer("/items/has_more") == Some(&Value::Bool(true)));
    flags.set("collection_paused", is_set("pause_collection"));
    let several =
        object.get("discounts").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let is_whole = flags.0.iter().all(|flag| flag == "collection_paused");
    flags.set("free", is_whole && !items.is_empty() && items.iter().all(is_free));
    flags.set("discounted", several || is_set("discount"));
    if is_paying(status) && !is_set("pause_collection") {
        terms.mrr_cents = fixed;
    }
    terms.plan = lead.and_then(plan_name);
    terms.billing_period = lead.and_then(period);
    terms.seats_purchased = seats(items);
    terms.trial_start_on = time(object, "trial_start").map(|at| at.date_naive());
    terms.trial_end_on = time(object, "trial_end").map(|at| at.date_naive());
    terms.started_at = time(object, "start_date").or_else(|| time(object, "created"));
    if is_final(status) {
        terms.canceled_at = time(object, "ended_at").or_else(|| time(object, "canceled_at"));
    } else {
        let end = period_end(object, items);
        let stops = object.get("cancel_at_period_end") == Some(&Value::Bool(true));
        terms.ends_on = time(object, "cancel_at").map(|at| at.date_naive());
        terms.ends_on = terms.ends_on.or(end.filter(|_| stops));
        terms.renewal_on = end.filter(|_| terms.ends_on.is_none());
    }
    let customer = object.get("customer");
    terms.customer_id = customer.and_then(id_of);
    terms.flags = flags.0;
    Some(Snapshot {
        id,
        customer: terms.customer_id.clone(),
        workspace: workspace_of(object),
        terms,
    })
}

/// Names under which metadata have the product's id of the workspace, without case and signs:
/// `workspace_id`, `workspaceId`, `Workspace ID`; the first of these that is there counts.
const WORKSPACE_NAMES: [&str; 3] = ["workspaceid", "groupid", "workspace"];

/// The product's id of the workspace, as `metadata` name it.
#[must_use]
pub fn workspace_of(object: &Value) -> Option<String> {
    let metadata = object.get("metadata")?.as_object()?;
    let folded = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let named = |wanted: &str| {
        metadata.iter().filter(|(name, _)| folded(name) == wanted).find_map(|(_, id)| reference(id))
    };
    WORKSPACE_NAMES.iter().find_map(|name| named(name))
}

/// An id as Stripe carries it for somebody else: text that is not empty.
#[must_use]
pub fn reference(value: &Value) -> Option<String> {
    let id = value.as_str()?.trim();
    (!id.is_empty() && id.len() <= 255).then(|| id.to_owned())
}

/// Whether a subscription of this status never comes back: Stripe's ids are not used again.
#[must_use]
pub fn is_final(status: &str) -> bool {
    matches!(status, "canceled" | "incomplete_expired")
}

/// An object's id, expanded or not.
#[must_use]
pub fn id_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| text(value, "id"))
}

#[derive(Default)]
struct Flags(Vec<String>);

impl Flags {
    fn set(&mut self, flag: &str, holds: bool) {
        if holds && !self.0.iter().any(|known| known == flag) {
            self.0.push(flag.to_owned());
        }
    }
}

fn revenue(items: &[Value], currency: &str, flags: &mut Flags) -> i64 {
    let mut sum = 0_i64;
    for item in items {
        // A price with several currencies is shown in its default one, whatever the subscription is
        // billed in; the amount in the other is not in the event.
        if text(price_of(item), "currency").is_some_and(|own| !own.eq_ignore_ascii_case(currency)) {
            flags.set("other_currency", true);
            continue;
        }
        match monthly(item) {
            Monthly::Fixed(cents) => sum = sum.saturating_add(cents),
            Monthly::Metered => flags.set("metered", true),
            Monthly::Tiered => flags.set("tiered", true),
            Monthly::Odd => flags.set("odd_amount", true),
        }
    }
    sum
}

fn is_licensed(item: &&Value) -> bool {
    let price = price_of(item);
    let recurring = price.get("recurring").unwrap_or(price);
    recurring.get("usage_type").and_then(Value::as_str) != Some("metered")
}

/// The item that names the plan: the first that is not metered, else the first.
fn lead(items: &[Value]) -> Option<&Value> {
    items.iter().find(is_licensed).or(items.first())
}

fn plan_name(item: &Value) -> Option<String> {
    let price = price_of(item);
    let product = price.get("product");
    text(price, "nickname")
        .or_else(|| text(price, "lookup_key"))
        .or_else(|| text(product?, "name"))
        .or_else(|| product.and_then(id_of))
        .or_else(|| text(price, "id"))
}

fn period(item: &Value) -> Option<&'static str> {
    let price = price_of(item);
    let recurring = price.get("recurring").unwrap_or(price);
    let count = recurring.get("interval_count").and_then(Value::as_i64).unwrap_or(1);
    match (recurring.get("interval").and_then(Value::as_str), count) {
        (Some("month"), 1) => Some("month"),
        (Some("year"), 1) | (Some("month"), 12) => Some("year"),
        _ => None,
    }
}

/// Words that say that an item is counted by people.
const SEAT_WORDS: [&str; 10] = [
    "seat", "seats", "user", "users", "member", "members", "license", "licenses", "licence",
    "licences",
];

/// The seats: the quantities of the licensed items added up. Metered items do not count. Where items are
/// named by seats, users, members or licenses, only those count: the others are other things that are
/// bought by number. A quantity of 1 beside greater ones, or alone without such a name, is how flat fees
/// look and says nothing.
fn seats(items: &[Value]) -> Option<i32> {
    let licensed = || items.iter().filter(is_licensed);
    let quantity = |item: &Value| item.get("quantity")?.as_i64().filter(|seats| *seats > 0);
    let by_name: Vec<i64> =
        licensed().filter(|item| is_by_seat(item)).filter_map(quantity).collect();
    let counted: Vec<i64> = if by_name.is_empty() {
        licensed().filter_map(quantity).filter(|seats| *seats > 1).collect()
    } else {
        by_name
    };
    let sum = counted.iter().fold(0_i64, |sum, seats| sum.saturating_add(*seats));
    i32::try_from(sum).ok().filter(|sum| *sum > 0)
}

fn is_by_seat(item: &Value) -> bool {
    let price = price_of(item);
    let names = [price.get("nickname"), price.get("lookup_key"), price.pointer("/product/name")];
    names.into_iter().flatten().filter_map(Value::as_str).any(|name| {
        let name = name.to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).any(|word| SEAT_WORDS.contains(&word))
    })
}

/// The end of the period: of the subscription before API 2025-03-31, of its items since; with
/// several, the last one.
fn period_end(object: &Value, items: &[Value]) -> Option<NaiveDate> {
    let of_items = items.iter().filter_map(|item| time(item, "current_period_end")).max();
    of_items.or_else(|| time(object, "current_period_end")).map(|at| at.date_naive())
}

fn text(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(255).collect())
}

fn time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::from_timestamp(value.get(name)?.as_i64()?, 0)?;
    (1970..=9999).contains(&chrono::Datelike::year(&time)).then_some(time)
}
