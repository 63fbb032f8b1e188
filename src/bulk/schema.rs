//! The JSON Schemas of records, made of the tables of fields. Pure.

use serde_json::{Map, Value, json};

use super::field::Field;
use super::kind::Kind;

/// The name of a kind's schema in the OpenAPI document.
#[must_use]
pub const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Workspaces => "WorkspaceRecord",
        Kind::Accounts => "AccountRecord",
        Kind::Users => "UserRecord",
        Kind::Memberships => "MembershipRecord",
        Kind::Subscriptions => "SubscriptionRecord",
    }
}

/// The schema of one kind.
#[must_use]
pub fn of(kind: Kind) -> Value {
    let property = |field: &Field| {
        let text = format!("{} ({})", field.meaning, field.of.words());
        let example =
            serde_json::from_str(field.example).unwrap_or_else(|_| Value::from(field.example));
        json!({"type": field.of.json_type(), "description": text, "examples": [example]})
    };
    let fields = kind.fields();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// All of them, by name.
#[must_use]
pub fn all() -> Map<String, Value> {
    Kind::ALL.into_iter().map(|kind| (name(kind).to_owned(), of(kind))).collect()
}
