//! SDK calls, records and Stripe's events in any order, batching and duplication end equal.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ripen::bulk::call::Sender;
use ripen::bulk::kind::Kind;
use ripen::bulk::known::Status;
use ripen::bulk::ops;
use ripen::db::Pool;
use ripen::ids::SourceId;
use ripen::jobs::PROJECTIONS;
use ripen::subscriptions::ops_stripe;
use ripen::subscriptions::stripe::event;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::drain::support::{Product, call, track};
use crate::dump::dump;
use crate::subscriptions::stripe as shop;

/// One thing that a product, a warehouse or a billing system says.
#[derive(Clone, Debug)]
enum Word {
    Call(Value),
    Record(Kind, Value),
    Stripe(Value),
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

/// Records and events about two subscriptions: one that Stripe knows as well, and one that it does not.
fn words_of_billing() -> Vec<Word> {
    let at = |second: i64| format!("2026-11-20T09:00:{second:02}Z");
    let record = |second: i64, mut said: Value| {
        said["updated_at"] = json!(at(second));
        Word::Record(Kind::Subscriptions, said)
    };
    let stripe = |second: i64, kind: &str, status: &str, seats: i64, previous: Value| {
        Word::Stripe(shop::event(
            &format!("evt_{second}_{seats}"),
            kind,
            second,
            status,
            seats,
            previous,
        ))
    };
    vec![
        record(
            1,
            json!({"subscription_id": "sub_1", "workspace_id": "w1", "status": "trialing", "plan": "mine", "seats_purchased": 3}),
        ),
        record(9, json!({"subscription_id": "sub_1", "workspace_id": "w1", "seats_purchased": 12})),
        record(
            6,
            json!({"subscription_id": "sub_1", "workspace_id": "w2", "mrr": 49.5, "plan": null}),
        ),
        stripe(3, "created", "trialing", 4, Value::Null),
        stripe(5, "updated", "active", 5, json!({"status": "trialing"})),
        stripe(5, "updated", "active", 7, json!({"quantity": 5})),
        stripe(8, "updated", "past_due", 7, json!({"status": "active"})),
        record(2, json!({"subscription_id": "sub_2", "workspace_id": "w2", "seats_purchased": 1})),
        record(
            4,
            json!({"subscription_id": "sub_2", "workspace_id": "w2", "status": "active", "mrr": 10}),
        ),
        record(
            4,
            json!({"subscription_id": "sub_2", "workspace_id": "w1", "status": "paused", "plan": "a"}),
        ),
        record(7, json!({"subscription_id": "sub_2", "workspace_id": "w2", "currency": "jpy"})),
        record(7, json!({"subscription_id": "sub_2", "workspace_id": "w2", "status": "paused"})),
        record(
            10,
            json!({"subscription_id": "sub_2", "workspace_id": "w2", "plan": null, "status": "canceled"}),
        ),
    ]
}

/// How subscriptions stand and stood, and of whom; what was noticed of traits has an order.
fn billing(product: &Product) -> Vec<String> {
    let tables = [
        ("subscriptions", "to_jsonb(t)"),
        ("(select * from subscription_changes where origin <> 'traits')", "to_jsonb(t)"),
        ("subscription_words", "to_jsonb(t)"),
        ("stripe_subscriptions", "to_jsonb(t) - 'heard_at'"),
    ];
    dump(&product.db, &tables)
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
            Word::Stripe(told) => {
                let (now, by) = (product.clock.now(), (Uuid::nil(), Uuid::nil()));
                let event = event::read(told.to_string().as_bytes()).unwrap();
                let take = |conn: &mut _| ops_stripe::take(conn, &event, by, now);
                product.db.tx(Pool::Work, take).unwrap();
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

#[test]
fn any_order_of_records_and_stripes_events_ends_the_same() {
    let words = words_of_billing();
    let reference = Product::new();
    tell(&reference, &words);
    let expected = billing(&reference);
    let seats = |id: &str| {
        reference.cell(&format!(
            "select status || ' ' || seats_purchased from subscriptions where id = '{id}'"
        ))
    };
    assert_eq!(seats("sub_1").as_deref(), Some("past_due 12"), "the newest word about each field");
    assert_eq!(seats("sub_2").as_deref(), Some("canceled 1"), "an absent field keeps its value");
    let yen = reference.cell("select mrr_cents || currency from subscriptions where id = 'sub_2'");
    assert_eq!(yen.as_deref(), Some("10jpy"));
    let product = Product::new();
    let shuffles = Just(words).prop_flat_map(|words| {
        let twice: Vec<Word> = words.iter().chain(words.iter().step_by(2)).cloned().collect();
        Just(twice).prop_shuffle()
    });
    let mut runner =
        TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&shuffles, |said| {
        for table in [
            "stripe_events",
            "stripe_subscriptions",
            "subscription_changes",
            "subscriptions",
            "subscription_words",
        ] {
            product.execute(&format!("delete from {table}"));
        }
        tell(&product, &said);
        prop_assert_eq!(billing(&product), expected.clone());
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn one_body_of_records_ends_like_a_body_for_each() {
    let records: Vec<(Kind, Value)> = words_of_billing()
        .into_iter()
        .filter_map(|word| match word {
            Word::Record(kind, said) => Some((kind, said)),
            _ => None,
        })
        .collect();
    let (alone, together) = (Product::new(), Product::new());
    let words: Vec<Word> =
        records.iter().map(|(kind, said)| Word::Record(*kind, said.clone())).collect();
    tell(&alone, &words);
    let lines: Vec<String> = records.iter().map(|(_, said)| said.to_string()).collect();
    let now = together.clock.now();
    let entries = ops::read(Kind::Subscriptions, lines.join("\n").as_bytes(), now).unwrap();
    let sender = Sender { source: SourceId(Uuid::nil()), received_at: now };
    let (outcomes, error) = ops::write(&together.db, sender, &PROJECTIONS, entries);
    let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    assert!(error.is_none());
    assert_eq!((count(Status::Created), count(Status::Rejected)), (2, 0));
    assert_eq!(billing(&together), billing(&alone));
}
