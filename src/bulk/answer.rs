//! What the sender of records reads. Pure.

use serde_json::{Map, Value, json};

use super::known::Status;
use super::ops::Outcome;

/// The body of an answer: counts, and an outcome for each record.
#[must_use]
pub fn document(outcomes: &[Outcome]) -> Map<String, Value> {
    let count = |status| outcomes.iter().filter(|one| one.status == status).count();
    let counts = [Status::Created, Status::Updated, Status::Unchanged, Status::Rejected];
    let mut document = Map::new();
    document.insert("records".to_owned(), outcomes.len().into());
    document.extend(counts.map(|status| (status.key().to_owned(), count(status).into())));
    document.insert("results".to_owned(), outcomes.iter().map(result).collect());
    document
}

/// One outcome: line, what names the record, status; for a refused one the first fault's code and
/// field, and every message.
fn result(outcome: &Outcome) -> Value {
    let mut result = Map::from_iter([("line".to_owned(), json!(outcome.line))]);
    result.extend(outcome.ids.iter().map(|(name, id)| ((*name).to_owned(), json!(id))));
    result.insert("status".to_owned(), outcome.status.key().into());
    if let Some(first) = outcome.faults.first() {
        result.insert("code".to_owned(), first.code.into());
        result.insert("field".to_owned(), json!(first.field));
        let messages: Vec<&str> =
            outcome.faults.iter().map(|fault| fault.message.as_str()).collect();
        result.insert("message".to_owned(), messages.join(" ").into());
    }
    Value::Object(result)
}

/// What happened when not everything could be written: from which line on to send again.
#[must_use]
pub fn cut_off(outcomes: &[Outcome]) -> String {
    match outcomes.last() {
        Some(last) => format!(
            "The records up to line {} are stored, those after it are not. Send the rest again, or all of it: \
             what is stored stays as it is.",
            last.line
        ),
        None => "Nothing of this request was stored. Send it again.".to_owned(),
    }
}
