//! A subscription as scripts, files and signed events write it: JSON members or columns of text.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::agreement::Said;
use super::terms::{BY_TRAITS, Row, STATUSES, period_named, status_named};
use crate::error::FieldErrors;
use crate::ingest::traits::{number_of, text_of, time_of};
use crate::values::currency::currency;
use crate::values::id;
use crate::values::text::{Holds, is_empty_word};
use crate::web::form::Check;

/// The longest id and name.
const LONGEST: usize = 255;
/// More than any subscription brings in, in minor units.
const MOST_CENTS: f64 = 1e14;

/// Reads what is said of a subscription, by the names of `bulk/field.rs` (`id` stands for
/// `subscription_id`, `seats` for `seats_purchased`, `trial_start` and `trial_end` for the days); other
/// members are passed by. An absent member is not spoken of, null and blank clear it. `workspace_id` is
/// required, like the id itself; times are RFC 3339, days or seconds since 1970; `mrr` is in major
/// units of the currency, `mrr_cents` in minor ones. `updated_at` says since when all this holds:
/// at the latest, and else, `latest`.
///
/// # Errors
/// What is wrong with which member, and how to mend it.
pub fn read(said: &Map<String, Value>, latest: DateTime<Utc>) -> Result<Row, FieldErrors> {
    let mut reader = Reader { said, check: Check::default(), kept: Map::new() };
    let id = reader.id("subscription_id", &["subscription_id", "id"], "the subscription's id");
    if id.starts_with(BY_TRAITS) {
        let message =
            format!("Ids that begin with {BY_TRAITS} are those of what traits tell: use another.");
        reader.check.refuse("subscription_id", message);
    }
    let workspace = reader.id("workspace_id", &["workspace_id"], "the workspace's id");
    reader.status();
    for field in ["plan", "customer_id"] {
        reader.name(field);
    }
    reader.field(
        "billing_period",
        &["billing_period"],
        "Write month or year, or leave it out.",
        |said| period_named(&text_of(said)?).map(Value::from),
    );
    reader.field(
        "currency",
        &["currency"],
        "Write the currency as three letters, such as eur.",
        |said| currency(said).map(Value::from),
    );
    reader.money();
    reader.field(
        "seats_purchased",
        &["seats_purchased", "seats"],
        "Enter a whole number of at least 0, such as 25000.",
        |said| whole(said).map(Value::from),
    );
    let start = reader.day("trial_start_on", &["trial_start_on", "trial_start"]);
    let end = reader.day("trial_end_on", &["trial_end_on", "trial_end"]);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        reader
            .check
            .refuse("trial_end_on", "The trial ends before it starts: turn the days round.");
    }
    reader.day("ends_on", &["ends_on"]);
    reader.day("renewal_on", &["renewal_on", "renewal_date"]);
    for field in ["started_at", "canceled_at"] {
        reader.time(field);
    }
    let said_at = reader.updated_at().unwrap_or(latest).min(latest);
    reader.check.done(Row { id, workspace, said: Said(reader.kept), said_at })
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "whole and within the bounds of i32"
)]
fn whole(said: &Value) -> Option<i32> {
    number_of(said)
        .filter(|seats| seats.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(seats))
        .map(|seats| seats as i32)
}

struct Reader<'a> {
    said: &'a Map<String, Value>,
    check: Check,
    kept: Map<String, Value>,
}

impl Reader<'_> {
    /// What is said under the first of these names that says something; `None` when none is there,
    /// `Some(None)` when they clear it.
    fn spoken(&self, names: &[&str]) -> Option<Option<&Value>> {
        let there = || names.iter().filter_map(|name| self.said.get(*name));
        let says = |value: &&Value| match value {
            Value::Null => false,
            Value::String(text) => !is_empty_word(text, Holds::Word),
            _ => true,
        };
        let is_there = there().next().is_some();
        is_there.then(|| there().find(says))
    }

    fn id(&mut self, field: &str, names: &[&str], what: &str) -> String {
        let typed = match self.spoken(names).flatten().map(id::id) {
            Some(Ok(typed)) => typed,
            Some(Err(fault)) => {
                self.check.refuse(field, format!("This {}", fault.advice()));
                return String::new();
            }
            None => String::new(),
        };
        self.check.text(field, &typed, what, LONGEST)
    }

    fn field(
        &mut self,
        field: &str,
        names: &[&str],
        refusal: &str,
        read: impl Fn(&Value) -> Option<Value>,
    ) {
        let Some(spoken) = self.spoken(names) else { return };
        let kept = match spoken.map(&read) {
            None => Value::Null,
            Some(Some(kept)) => kept,
            Some(None) => return self.check.refuse(field, refusal),
        };
        self.kept.insert(field.to_owned(), kept);
    }

    fn status(&mut self) {
        let refusal = format!("Give the status: one of {}.", STATUSES.join(", "));
        self.field("status", &["status"], &refusal, |said| {
            status_named(&text_of(said)?).map(Value::from)
        });
        if self.kept.get("status").is_some_and(Value::is_null) {
            self.check.refuse("status", refusal);
        }
    }

    fn name(&mut self, field: &str) {
        let Some(spoken) = self.spoken(&[field]) else { return };
        let kept = match spoken.map(|said| text_of(said).unwrap_or_default()) {
            Some(typed) => self.check.text(field, &typed, "it", LONGEST).into(),
            None => Value::Null,
        };
        self.kept.insert(field.to_owned(), kept);
    }

    /// One of the two amounts; the minor units go before.
    fn money(&mut self) {
        let says = |name: &str| self.spoken(&[name]).flatten().is_some();
        let is_major = says("mrr") && !says("mrr_cents");
        let (field, names, example): (_, &[&str], _) = if is_major {
            ("mrr", &["mrr"], "49.90")
        } else {
            ("mrr_cents", &["mrr_cents", "mrr"], "4990")
        };
        let refusal = format!("Write an amount of at least 0, such as {example}.");
        self.field(field, names, &refusal, |said| {
            let amount = number_of(said).filter(|amount| (0.0..=MOST_CENTS).contains(amount))?;
            Some(if is_major { amount } else { amount.round() }.into())
        });
    }

    fn day(&mut self, field: &str, names: &[&str]) -> Option<NaiveDate> {
        let day = |said: &Value| time_of(said).map(|at| at.date_naive());
        self.field(field, names, "Write the day as 2026-11-20.", |said| {
            day(said).map(|day| day.to_string().into())
        });
        self.spoken(names).flatten().and_then(day)
    }

    fn time(&mut self, field: &str) {
        self.field(field, &[field], WRITE_TIME, |said| {
            time_of(said).map(|at| to_the_microsecond(at).to_rfc3339().into())
        });
    }

    fn updated_at(&mut self) -> Option<DateTime<Utc>> {
        let said = self.spoken(&["updated_at"]).flatten()?;
        let at = time_of(said).map(to_the_microsecond);
        if at.is_none() {
            self.check.refuse("updated_at", WRITE_TIME);
        }
        at
    }
}

const WRITE_TIME: &str = "Write the time as 2026-11-20T10:00:00Z.";

/// As precise as the database.
fn to_the_microsecond(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::subscriptions::agreement::Agreement;

    fn now() -> DateTime<Utc> {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn read_json(said: &Value) -> Result<Row, FieldErrors> {
        read(said.as_object().unwrap(), now())
    }

    #[test]
    fn all_of_it_as_json_and_as_columns_of_a_file() {
        let numbers = json!({
            "subscription_id": "s1", "workspace_id": "w1", "status": "active", "plan": "pro",
            "billing_period": "year", "currency": "EUR", "mrr": 49.9, "seats_purchased": 10,
            "trial_start_on": "2026-10-01", "trial_end_on": "2026-10-15", "renewal_on": "2027-10-15",
            "started_at": "2026-10-01T00:00:00Z", "updated_at": 1_760_000_000, "surplus": true,
        });
        let texts = json!({
            "id": "s1", "workspace_id": " w1 ", "status": "Active", "plan": "pro",
            "billing_period": "annual", "currency": "eur", "mrr_cents": "4990", "seats": "10",
            "trial_start": "2026-10-01", "trial_end": "2026-10-15", "renewal_on": "2027-10-15",
            "started_at": "2026-10-01T00:00:00Z", "updated_at": "2025-10-09T08:53:20Z",
        });
        let row = read_json(&numbers).unwrap();
        let columns = read_json(&texts).unwrap();
        let terms = |row: &Row| {
            let mut agreement = Agreement::default();
            agreement.hear(row);
            agreement.outlook("s1").standing.unwrap().terms
        };
        assert_eq!(terms(&columns), terms(&row));
        assert_eq!((&columns.workspace, columns.said_at), (&row.workspace, row.said_at));
        assert_eq!((terms(&row).mrr_cents, terms(&row).seats_purchased), (4990, Some(10)));
    }

    #[test]
    fn what_is_absent_is_not_spoken_of_and_null_and_blank_clear() {
        let said = json!({"id": "s", "workspace_id": "w", "plan": null, "canceled_at": " ", "mrr": null, "mrr_cents": "", "seats": 3});
        let row = read_json(&said).unwrap();
        assert_eq!(
            Value::Object(row.said.0),
            json!({"plan": null, "canceled_at": null, "mrr_cents": null, "seats_purchased": 3})
        );
        let amounts = json!({"id": "s", "workspace_id": "w", "mrr": 49.9, "mrr_cents": null});
        assert_eq!(Value::Object(read_json(&amounts).unwrap().said.0), json!({"mrr": 49.9}));
        let cleared = json!({"id": "s", "workspace_id": "w", "status": null});
        assert_eq!(read_json(&cleared).unwrap_err().keys().next().unwrap(), "status");
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let said = json!({
            "workspace_id": "w", "status": "fine", "currency": "euro", "mrr": -1, "seats": "many",
            "trial_start_on": "2026-11-02", "trial_end_on": "2026-11-01", "renewal_on": "soon",
        });
        let errors = read_json(&said).unwrap_err();
        assert_eq!(
            errors.keys().collect::<Vec<_>>(),
            [
                "currency",
                "mrr",
                "renewal_on",
                "seats_purchased",
                "status",
                "subscription_id",
                "trial_end_on"
            ]
        );
    }

    #[test]
    fn the_ids_of_what_traits_tell_are_taken() {
        let said = json!({"id": "traits:w", "workspace_id": "w", "status": "paid"});
        assert!(read_json(&said).unwrap_err().contains_key("subscription_id"));
    }

    #[test]
    fn the_future_is_now() {
        let said =
            json!({"id": "s", "workspace_id": "w", "status": "paid", "updated_at": "2030-01-01"});
        assert_eq!(read_json(&said).unwrap().said_at, now());
    }
}
