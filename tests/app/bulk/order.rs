//! SDK calls and records in any order, batching and duplication end equal.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ripen::bulk::call::Sender;
use ripen::bulk::kind::Kind;
use ripen::bulk::known::Status;
use ripen::bulk::ops;
use ripen::ids::SourceId;
use ripen::jobs::PROJECTIONS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::drain::support::{Product, call, track};

/// One thing that a product or a warehouse says.
#[derive(Clone, Debug)]
enum Word {
    Call(Value),
    Record(Kind, Value),
}

fn words() -> Vec<Word> {
    let at = |minute: u32| {
        format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60)
    };
    let sdk = |kind: &str, id: &str, minute: u32, extra: Value| {
        Word::Call(call(kind, id, &at(minute), extra))
    };
    let record = |kind: Kind, minute: u32, mut said: Value| {
        said["updated_at"] = json!(at(minute));
        Word::Record(kind, said)
    };
    vec![
        sdk(
            "identify",
            "m1",
            10,
            json!({"userId": "u1", "anonymousId": "a1", "traits": {"email": "dana@acme.com", "title": "CTO"}}),
        ),
        record(
            Kind::Users,
            20,
            json!({"user_id": "u1", "job_title": "VP Sales", "email": "dana@acme.com"}),
        ),
        record(Kind::Users, 5, json!({"user_id": "u1", "name": "Old", "job_title": "Intern"})),
        record(Kind::Users, 25, json!({"user_id": "u1", "name": null})),
        sdk("identify", "m2", 30, json!({"userId": "u1", "traits": {"name": "Dana"}})),
        sdk(
            "group",
            "m3",
            40,
            json!({"userId": "u1", "groupId": "w1", "traits": {"plan": "trial", "seats": 5, "employees": 20}}),
        ),
        record(
            Kind::Workspaces,
            50,
            json!({"workspace_id": "w1", "plan": "pro", "seats": 9, "sso_domain": "acme.com", "employee_count": 400}),
        ),
        record(Kind::Workspaces, 45, json!({"workspace_id": "w1", "plan": null, "name": "First"})),
        sdk(
            "group",
            "m4",
            60,
            json!({"userId": "u1", "groupId": "w1", "traits": {"plan_name": "Team"}}),
        ),
        record(
            Kind::Accounts,
            55,
            json!({"domain": "acme.com", "account_id": "A1", "territory": "emea", "industry": "Software"}),
        ),
        record(
            Kind::Accounts,
            35,
            json!({"domain": "acme.com", "territory": "apac", "is_strategic": true}),
        ),
        record(
            Kind::Accounts,
            65,
            json!({"domain": "acme.com", "is_strategic": null, "employee_count": "201-500"}),
        ),
        record(
            Kind::Memberships,
            70,
            json!({"user_id": "u1", "workspace_id": "w2", "role": "admin", "joined_at": at(15)}),
        ),
        record(
            Kind::Memberships,
            75,
            json!({"user_id": "u1", "workspace_id": "w1", "left_at": at(72)}),
        ),
        record(
            Kind::Memberships,
            90,
            json!({"user_id": "u1", "workspace_id": "w1", "left_at": null, "persona": "champion"}),
        ),
        record(
            Kind::Memberships,
            80,
            json!({"user_id": "u2", "workspace_id": "w1", "role": "viewer"}),
        ),
        record(Kind::Memberships, 85, json!({"user_id": "u2", "workspace_id": "w1", "role": null})),
        sdk(
            "group",
            "m5",
            82,
            json!({"userId": "u2", "groupId": "w1", "traits": {"role": "member"}}),
        ),
        Word::Call(track("m6", "upgrade_click", &at(71), json!({"userId": "u2"}))),
        Word::Call(track("m7", "data_imported", &at(78), json!({"userId": "u1"}))),
        Word::Call(track("m8", "core_feature_used", &at(12), json!({"anonymousId": "a1"}))),
    ]
}

fn tell(product: &Product, said: &[Word]) {
    for word in said {
        match word {
            Word::Call(call) => product.send(std::slice::from_ref(call)),
            Word::Record(kind, said) => {
                let now = product.clock.now();
                let entry = ops::entry(*kind, 1, said.as_object().unwrap(), now);
                let sender = Sender { source: SourceId(Uuid::nil()), received_at: now };
                let (outcomes, error) = ops::write(&product.db, sender, &PROJECTIONS, vec![entry]);
                assert!(
                    error.is_none() && outcomes[0].status != Status::Rejected,
                    "{outcomes:?} {error:?}"
                );
            }
        }
    }
}

#[test]
fn any_order_of_calls_and_records_ends_the_same() {
    let words = words();
    let reference = Product::new();
    tell(&reference, &words);
    let expected = reference.dump();
    assert!(expected.len() > 15, "{expected:#?}");
    let shuffles = Just(words).prop_flat_map(|words| {
        let twice: Vec<Word> = words.iter().chain(words.iter().step_by(3)).cloned().collect();
        Just(twice).prop_shuffle()
    });
    let mut runner =
        TestRunner::new(Config { cases: 10, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&shuffles, |said| {
        let product = Product::new();
        tell(&product, &said);
        prop_assert_eq!(&product.dump(), &expected);
        Ok(())
    });
    ran.unwrap();
}
