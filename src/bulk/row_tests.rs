//! Records, read.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn read_json(kind: Kind, said: &Value) -> Result<Row, Vec<Fault>> {
    read(kind, said.as_object().unwrap(), now(), now())
}

#[test]
fn a_value_clears_the_other_names_of_its_field() {
    let said = json!({"workspaceId": " ws-1 ", "plan": "pro", "seats": "1,200", "website": null, "industry": ""});
    let row = read_json(Kind::Workspaces, &said).unwrap();
    let Said::Workspace { id, traits } = row.said else { panic!() };
    assert_eq!((id.as_str(), row.at), ("ws-1", now()));
    assert_eq!(
        Value::Object(traits),
        json!({
            "plan": "pro", "plan_name": null, "plan_tier": null, "subscription_plan": null,
            "seats": 1200, "seats_purchased": null, "seat_count": null, "licenses": null,
            "website": null, "url": null, "industry": null,
        })
    );
}

#[test]
fn everything_wrong_is_said_at_its_field() {
    let said = json!({"employee_count": "many", "employes": 3, "segment": "big", "updated_at": "2030-01-01"});
    let faults = read_json(Kind::Accounts, &said).unwrap_err();
    let fields: Vec<_> =
        faults.iter().map(|fault| (fault.field.as_deref().unwrap(), fault.code)).collect();
    assert_eq!(
        fields,
        [
            ("employee_count", "invalid_value"),
            ("employes", "unknown_field"),
            ("segment", "invalid_value"),
            ("updated_at", "invalid_value")
        ]
    );
    assert_eq!(
        faults[0].message,
        "employee_count: 'many' is no number of people. Write it as 250, or as a range such as 201-500."
    );
    let faults = read_json(Kind::Users, &json!({"email": "a@acme.com"})).unwrap_err();
    assert_eq!((faults.len(), faults[0].code), (1, "missing_field"));
    assert_eq!(read_json(Kind::Users, &json!({"id": "null"})).unwrap_err().len(), 1);
    assert_eq!(read_json(Kind::Accounts, &json!({"name": "x"})).unwrap_err().len(), 1);
    let turned = json!({"user_id": "u", "workspace_id": "w", "joined_at": "2026-02-01", "left_at": "2026-01-01"});
    assert_eq!(
        read_json(Kind::Memberships, &turned).unwrap_err()[0].field.as_deref(),
        Some("left_at")
    );
}

#[test]
fn what_is_absent_is_not_spoken_of() {
    let said = json!({"user_id": "u", "workspace_id": "w", "timestamp": "2026-11-01"});
    let row = read_json(Kind::Memberships, &said).unwrap();
    let Said::Membership(membership) = &row.said else { panic!() };
    assert_eq!((membership.role, membership.left), (None, None));
    assert_eq!(row.at, "2026-11-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let said = json!({"user_id": "u", "workspace_id": "w", "role": null, "left_at": null});
    let Said::Membership(membership) = read_json(Kind::Memberships, &said).unwrap().said else {
        panic!()
    };
    assert_eq!((membership.role, membership.left), (Some(None), Some(None)));
    let said =
        json!({"user_id": "u", "workspace_id": "w", "role": " ", "left_at": "", "persona": ""});
    let Said::Membership(membership) = read_json(Kind::Memberships, &said).unwrap().said else {
        panic!()
    };
    assert_eq!((membership.role, membership.left, membership.persona), (None, None, None));
}

#[test]
fn a_word_for_an_empty_field_is_as_an_empty_text() {
    let said = json!({
        "workspace_id": "w", "industry": "#N/A", "plan": "NULL", "seats": "-", "created_at": "(blank)",
        "website": "N/A", "region": "NA", "country": "\\N", "tech_stack": "None", "name": "Null",
        "traits": {"tier": "nan", "family_name": "Null"},
    });
    let Said::Workspace { traits, .. } = read_json(Kind::Workspaces, &said).unwrap().said else {
        panic!()
    };
    for name in
        ["industry", "plan", "seats", "created_at", "website", "country", "tech_stack", "tier"]
    {
        assert_eq!(traits[name], Value::Null, "{name}");
    }
    assert_eq!((&traits["hq_region"], &traits["name"]), (&json!("NA"), &json!("Null")));
    assert_eq!(traits["family_name"], json!("Null"));
    let said = json!({"account_id": "NULL", "domain": "acme.com", "territory": "(blank)"});
    let row = read_json(Kind::Accounts, &said).unwrap();
    assert_eq!(row.ids(), [("domain", "acme.com".to_owned())]);
    let said = json!({"user_id": "u", "workspace_id": "w", "role": "NULL", "left_at": "\\N"});
    let Said::Membership(membership) = read_json(Kind::Memberships, &said).unwrap().said else {
        panic!()
    };
    assert_eq!((membership.role, membership.left), (None, None), "ends nothing");
}

#[test]
fn every_example_of_the_schema_is_taken() {
    for kind in Kind::ALL {
        for field in kind.fields() {
            let example =
                serde_json::from_str(field.example).unwrap_or_else(|_| json!(field.example));
            assert!(field.of.read(&example).is_ok(), "{} {}", kind.key(), field.name);
        }
    }
}

proptest! {
    #[test]
    fn reading_never_panics(name in "[a-zA-Z_ ]{0,12}|email|seats|role|left_at|domain", text in "\\PC{0,30}") {
        for kind in Kind::ALL {
            for value in [json!(text), json!(null), json!([text]), json!({&text: 1})] {
                let said = json!({&name: value});
                let _ = read_json(kind, &said);
                let _ = ids_of(kind, said.as_object().unwrap());
            }
        }
    }
}
