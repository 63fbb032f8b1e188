use super::*;
use proptest::prelude::*;

fn holds(actual: impl Into<Value>, op: Op, wanted: impl Into<Value>) -> bool {
    Condition::new("f", op, wanted).holds(&actual.into())
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::from(*item)).collect())
}

#[test]
fn null_satisfies_only_three_operators() {
    for (op, ..) in Op::ALL {
        let expected = matches!(op, Op::IsNotSet | Op::Ne | Op::NotIn);
        assert_eq!(holds(Value::Null, op, 3), expected, "{op:?}");
        assert_eq!(holds(Value::Null, op, Value::Null), expected, "{op:?} null");
    }
}

#[test]
fn comparisons() {
    assert!(holds(3, Op::Le, 3.0) && holds(2.5, Op::Lt, 3) && !holds(3, Op::Gt, 3));
    assert!(holds("A", Op::In, list(&["A", "B"])) && holds("C", Op::NotIn, list(&["A", "B"])));
    assert!(holds("Acme Corp", Op::Contains, "acme") && holds(list(&["aws"]), Op::Contains, "aws"));
    assert!(holds(true, Op::Eq, true) && !holds(true, Op::Eq, 1) && holds(true, Op::Ne, 1));
    assert!(!holds("b", Op::Gt, "a"), "texts have no order");
    let day: NaiveDate = "2026-11-20".parse().unwrap();
    assert!(holds(day, Op::Lt, "2026-11-21") && holds(day, Op::Eq, "2026-11-20"));
    let noon: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
    assert!(holds(noon, Op::Eq, "2026-11-20") && holds(noon, Op::Gt, "2026-11-20T11:00:00Z"));
}

#[test]
fn territories_are_the_same_in_any_case() {
    let holds = |op, wanted: Value, actual: &str| {
        Condition::new("territory", op, wanted).holds(&Value::from(actual))
    };
    assert!(holds(Op::Eq, "emea".into(), "EMEA") && holds(Op::Eq, "EMEA".into(), " emea"));
    assert!(
        holds(Op::In, list(&["AMER", "EMEA"]), "emea") && !holds(Op::Ne, "emea".into(), "EMEA")
    );
    assert!(!holds(Op::Eq, "emea".into(), "apac") && !holds(Op::NotIn, list(&["emea"]), "Emea"));
    assert!(!Condition::new("plan", Op::Eq, "pro").holds(&Value::from("Pro")), "only these");
}

#[test]
fn documents() {
    let clause: Clause = serde_json::from_str(
        r#"{"any":[{"field":"a","op":"=","value":1},{"field":"b","op":"is_set"}]}"#,
    )
    .unwrap();
    let fields: Fields = [("b", Value::from("x"))].into_iter().collect();
    assert!(all_hold(&[clause], &fields));
    let error = serde_json::from_str::<Clause>(r#"{"field":"a","op":"=","valu":1}"#).unwrap_err();
    assert!(error.to_string().contains("valu"), "{error}");
}

#[test]
fn checks_speak_plainly() {
    let ordered = Condition::new("plan_tier", Op::Gt, "pro");
    assert!(ordered.check(FieldType::Text, &[]).unwrap_err().contains("no order"));
    let typo = Condition::new("plan_tier", Op::Eq, "pr");
    assert!(typo.check(FieldType::Text, &["pro", "trial"]).unwrap_err().contains("never occurs"));
    assert!(Condition::new("wau", Op::Ge, 3).check(FieldType::Int, &[]).is_ok());
    assert!(Condition::new("wau", Op::Ge, "3").check(FieldType::Int, &[]).is_err());
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        prop_oneof![any::<f64>(), Just(2.0)].prop_map(Value::from),
        "[a-c]{0,2}|2026-11-2[0-9]".prop_map(Value::from),
        (0u32..3).prop_map(|n| Value::from(NaiveDate::from_ymd_opt(2026, 11, 20 + n).unwrap())),
    ];
    leaf.clone().prop_recursive(1, 4, 3, move |_| {
        prop::collection::vec(leaf.clone(), 0..3).prop_map(Value::List)
    })
}

proptest! {
    #[test]
    fn opposites_are_opposite(actual in any_value(), wanted in any_value()) {
        let holds = |op| Condition::new("f", op, wanted.clone()).holds(&actual);
        prop_assert_ne!(holds(Op::Eq), holds(Op::Ne));
        prop_assert_ne!(holds(Op::In), holds(Op::NotIn));
        prop_assert_ne!(holds(Op::IsSet), holds(Op::IsNotSet));
        prop_assert!(!(holds(Op::Lt) && holds(Op::Gt)));
        prop_assert!(!holds(Op::Lt) || holds(Op::Le));
    }
}
