//! One Segment call with its time.

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Names the messageIds: the same call has the same one in every run.
const CALLS: Uuid = Uuid::from_u128(0x6f1e_22b0_7a94_4b5d_9c31_6465_6d6f_6f73);

/// A call as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// One item of a batch.
    pub text: String,
}

/// Days that end at a given instant.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// The end: nothing happens later.
    pub end: DateTime<Utc>,
}

impl Calendar {
    /// A minute of the day that lies `age` days before the last one. The last day is as long as it
    /// has lasted so far.
    #[must_use]
    pub fn at(self, age: i64, minute: i64) -> DateTime<Utc> {
        let day = self.end.date_naive();
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        if age <= 0 {
            let lasted = (self.end - midnight).num_seconds();
            let seconds = lasted.saturating_mul(minute.clamp(0, 1439)) / 1440;
            return midnight + TimeDelta::seconds(seconds);
        }
        midnight - TimeDelta::days(age) + TimeDelta::minutes(minute)
    }

    /// Whether that day is a Saturday or Sunday.
    #[must_use]
    pub fn is_weekend(self, age: i64) -> bool {
        let day = self.at(age, 0).date_naive();
        chrono::Datelike::weekday(&day).number_from_monday() > 5
    }
}

/// Writes calls, and gives each its messageId.
#[derive(Debug)]
pub struct Pen {
    prefix: String,
    written: u64,
    /// What was written.
    pub calls: Vec<Call>,
}

impl Pen {
    /// A pen whose messageIds are of this seed and name.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        Self { prefix: format!("{seed}/{name}"), written: 0, calls: Vec::new() }
    }

    /// Writes one call: `fields` without messageId, originalTimestamp and library.
    pub fn write(&mut self, at: DateTime<Utc>, fields: Value) {
        let text = self.sign(at, fields);
        self.calls.push(Call { at, text });
    }

    fn sign(&mut self, at: DateTime<Utc>, fields: Value) -> String {
        self.written = self.written.saturating_add(1);
        let id = Uuid::new_v5(&CALLS, format!("{}/{}", self.prefix, self.written).as_bytes());
        let Value::Object(mut call) = fields else { return fields.to_string() };
        call.insert("messageId".to_owned(), id.to_string().into());
        call.insert(
            "originalTimestamp".to_owned(),
            at.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
        );
        let context = call.entry("context").or_insert_with(|| Value::Object(Map::new()));
        if let Some(context) = context.as_object_mut() {
            context.insert("library".to_owned(), json!({"name": "ripen-demo", "version": "1"}));
        }
        Value::Object(call).to_string()
    }
}
