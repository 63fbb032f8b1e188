//! A subscription as scripts, files and signed events write it: JSON members or columns of text.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::terms::{Row, STATUSES, Terms, period_named, status_named};
use crate::error::FieldErrors;
use crate::ingest::traits::{number_of, text_of, time_of};
use crate::web::form::Check;
use crate::web::format;

/// The members of a subscription. `workspace_id` and `status` are required, like the id itself;
/// times are RFC 3339, days or seconds since 1970; `mrr` is in major units of the currency,
/// `mrr_cents` in minor ones; `updated_at` says since when all this holds (else: now).
pub const FIELDS: [&str; 16] = [
    "subscription_id",
    "workspace_id",
    "status",
    "plan",
    "billing_period",
    "currency",
    "mrr",
    "mrr_cents",
    "seats_purchased",
    "trial_start_on",
    "trial_end_on",
    "started_at",
    "canceled_at",
    "ends_on",
    "renewal_on",
    "updated_at",
];

/// The longest id and name.
const LONGEST: usize = 255;
/// More than any subscription brings in, in minor units.
const MOST_CENTS: f64 = 1e14;

/// Reads a subscription. Members that are missing, null or blank are unknown; others than [`FIELDS`]
/// are passed by (`id` stands for `subscription_id`, `seats` for `seats_purchased`, `trial_start`
/// and `trial_end` for the days). A word about the future is dated `now`.
///
/// # Errors
/// What is wrong with which member, and how to mend it.
pub fn read(said: &Map<String, Value>, now: DateTime<Utc>) -> Result<Row, FieldErrors> {
    let mut reader = Reader { said, check: Check::default() };
    let id = reader.id("subscription_id", &["subscription_id", "id"], "the subscription's id");
    let workspace = reader.id("workspace_id", &["workspace_id"], "the workspace's id");
    let status = reader.text(&["status"]).as_deref().and_then(status_named);
    if status.is_none() {
        reader.check.refuse("status", format!("Give the status: one of {}.", STATUSES.join(", ")));
    }
    let currency = reader.currency();
    let terms = Terms {
        plan: reader.name("plan"),
        billing_period: reader.period(),
        mrr_cents: reader.cents(&currency),
        currency,
        seats_purchased: reader.seats(),
        trial_start_on: reader.day("trial_start_on", &["trial_start_on", "trial_start"]),
        trial_end_on: reader.day("trial_end_on", &["trial_end_on", "trial_end"]),
        started_at: reader.time("started_at"),
        canceled_at: reader.time("canceled_at"),
        ends_on: reader.day("ends_on", &["ends_on"]),
        renewal_on: reader.day("renewal_on", &["renewal_on", "renewal_date"]),
        customer_id: reader.name("customer_id"),
        ..Terms::new(status.unwrap_or("active"))
    };
    if let (Some(start), Some(end)) = (terms.trial_start_on, terms.trial_end_on)
        && start > end
    {
        reader
            .check
            .refuse("trial_end_on", "The trial ends before it starts: turn the days round.");
    }
    let said_at = reader.time("updated_at").unwrap_or(now).min(now);
    reader.check.done(Row { id, workspace, terms, said_at })
}

struct Reader<'a> {
    said: &'a Map<String, Value>,
    check: Check,
}

impl Reader<'_> {
    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.said.get(*name)).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.value(names).and_then(text_of)
    }

    fn id(&mut self, field: &str, names: &[&str], what: &str) -> String {
        let typed = self.text(names).unwrap_or_default();
        self.check.text(field, &typed, what, LONGEST)
    }

    fn name(&mut self, field: &str) -> Option<String> {
        let typed = self.text(&[field])?;
        Some(self.check.text(field, &typed, "it", LONGEST))
    }

    fn currency(&mut self) -> String {
        let Some(code) = self.text(&["currency"]) else { return "usd".to_owned() };
        let code = code.to_lowercase();
        if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_lowercase()) {
            self.check.refuse("currency", "Write the currency as three letters, such as eur.");
        }
        code
    }

    fn period(&mut self) -> Option<&'static str> {
        let period = period_named(&self.text(&["billing_period"])?);
        if period.is_none() {
            self.check.refuse("billing_period", "Write month or year, or leave it out.");
        }
        period
    }

    #[allow(clippy::as_conversions, reason = "a whole number far below 2^53")]
    fn cents(&mut self, currency: &str) -> i64 {
        let (field, unit) = match self.value(&["mrr_cents"]) {
            Some(_) => ("mrr_cents", 1.0),
            None if self.value(&["mrr"]).is_some() => {
                ("mrr", f64::from(10_u32.pow(format::decimals(currency))))
            }
            None => return 0,
        };
        let cents = self.value(&[field]).and_then(number_of).map(|number| (number * unit).round());
        match cents.filter(|cents| (0.0..=MOST_CENTS).contains(cents)) {
            Some(cents) => cents as i64,
            None => {
                let unit = if field == "mrr" { "49.90" } else { "4990" };
                self.check.refuse(field, format!("Write an amount of at least 0, such as {unit}."));
                0
            }
        }
    }

    fn seats(&mut self) -> Option<i32> {
        let text = self.text(&["seats_purchased", "seats"])?;
        self.check.number("seats_purchased", &text, 0, i32::MAX)
    }

    fn day(&mut self, field: &str, names: &[&str]) -> Option<NaiveDate> {
        let day = time_of(self.value(names)?).map(|at| at.date_naive());
        if day.is_none() {
            self.check.refuse(field, "Write the day as 2026-11-20.");
        }
        day
    }

    fn time(&mut self, field: &str) -> Option<DateTime<Utc>> {
        let time = time_of(self.value(&[field])?);
        if time.is_none() {
            self.check.refuse(field, "Write the time as 2026-11-20T10:00:00Z.");
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            "started_at": "2026-10-01T00:00:00Z", "updated_at": "2025-10-09T08:53:20Z", "canceled_at": "",
        });
        let row = read_json(&numbers).unwrap();
        assert_eq!(read_json(&texts).unwrap(), row);
        assert_eq!((row.terms.mrr_cents, row.terms.seats_purchased), (4990, Some(10)));
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
    fn the_future_is_now() {
        let said =
            json!({"id": "s", "workspace_id": "w", "status": "paid", "updated_at": "2030-01-01"});
        assert_eq!(read_json(&said).unwrap().said_at, now());
    }
}
