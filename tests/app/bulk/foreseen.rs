//! What a check foresees, what an import answers, and what the tables show are the same.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ripen::bulk::call::{NO_SOURCE, Sender};
use ripen::bulk::kind::Kind;
use ripen::bulk::known::{Known, Status};
use ripen::bulk::ops::{self, Entry};
use ripen::db::Pool;
use ripen::jobs::PROJECTIONS;
use serde_json::{Value, json};

use crate::drain::support::Product;

/// What people see of the subjects of a kind, by their ids.
fn shown(product: &Product, kind: Kind) -> BTreeMap<String, Value> {
    #[derive(QueryableByName)]
    struct Cell {
        #[diesel(sql_type = Text)]
        cell: String,
    }
    let rows = match kind {
        Kind::Workspaces => "select external_id as k, traits as v from workspaces",
        Kind::Users => "select external_id as k, traits as v from product_users",
        Kind::Accounts => "select primary_domain as k, traits as v from accounts",
        Kind::Memberships => {
            "select workspace_id || ' ' || user_id as k, jsonb_build_array(role, persona, joined_at, left_at) as v from memberships"
        }
        Kind::Subscriptions => {
            "select id as k, jsonb_build_array(workspace_id, status, plan, mrr_cents, currency, seats_purchased, renewal_on) as v
             from subscriptions"
        }
    };
    let query =
        format!("select coalesce(jsonb_object_agg(k, v), '{{}}')::text as cell from ({rows}) rows");
    let read = product
        .db
        .read(Pool::Work, |conn| Ok(diesel::sql_query(&query).get_result::<Cell>(conn)?.cell))
        .unwrap();
    serde_json::from_str(&read).unwrap()
}

fn records(kind: Kind) -> BoxedStrategy<Value> {
    let at = (0..6_u32).prop_map(|hour| json!(format!("2026-11-0{}T10:00:00Z", hour + 1)));
    let one = |values: Vec<Value>| prop::sample::select(values);
    let (a, b, c) = match kind {
        Kind::Workspaces => (
            ("workspace_id", vec![json!("w1"), json!("w2")]),
            ("plan", vec![json!("pro"), json!("free"), json!(null), json!("")]),
            ("seats", vec![json!(5), json!("1,000"), json!("1,5")]),
        ),
        Kind::Users => (
            ("user_id", vec![json!("u1"), json!("u2")]),
            ("email", vec![json!("a@acme.com"), json!("b@acme.com"), json!(null)]),
            ("job_title", vec![json!("CTO"), json!("VP Sales"), json!("")]),
        ),
        Kind::Accounts => (
            ("domain", vec![json!("acme.com"), json!("https://www.acme.com"), json!("other.org")]),
            ("territory", vec![json!("emea"), json!("apac"), json!(null)]),
            ("employee_count", vec![json!(20), json!("201-500"), json!("many")]),
        ),
        Kind::Memberships => (
            ("user_id", vec![json!("u1"), json!("u2")]),
            ("role", vec![json!("admin"), json!("viewer"), json!(null), json!("")]),
            ("left_at", vec![json!(null), json!("2026-11-03T12:00:00Z"), json!("")]),
        ),
        Kind::Subscriptions => (
            ("subscription_id", vec![json!("s1"), json!("s2")]),
            ("status", vec![json!("active"), json!("past_due"), json!("canceled")]),
            ("mrr", vec![json!("49.90"), json!(10), json!("49,90")]),
        ),
    };
    let is_there = prop::bool::ANY;
    (one(a.1), one(b.1), one(c.1), at, is_there)
        .prop_map(move |(first, second, third, at, is_there)| {
            let mut record = json!({a.0: first, b.0: second, "updated_at": at});
            if is_there {
                record[c.0] = third;
            }
            if matches!(kind, Kind::Memberships | Kind::Subscriptions) {
                record["workspace_id"] = json!("w1");
            }
            record
        })
        .boxed()
}

/// What the check of these records says, and what their import does.
fn foreseen_and_done(product: &Product, entries: &[Entry]) -> (Vec<Status>, Vec<Status>) {
    let foreseen = product
        .db
        .tx(Pool::Work, |conn| ops::preview(conn, entries, &Known::default(), |_| false))
        .unwrap()
        .0;
    let sender = Sender { source: NO_SOURCE, received_at: product.clock.now() };
    let (done, error) = ops::write(&product.db, sender, &PROJECTIONS, entries.to_vec());
    assert!(error.is_none(), "{error:?}");
    let statuses = |all: &[ops::Outcome]| all.iter().map(|one| one.status).collect();
    (statuses(&foreseen), statuses(&done))
}

#[test]
fn a_check_foresees_what_the_tables_show_after_the_import() {
    for kind in Kind::ALL {
        let mut runner =
            TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
        let files = prop::collection::vec(records(kind), 1..10);
        let told = runner.run(&files, |file| {
            let (one_by_one, at_once) = (Product::new(), Product::new());
            let entries: Vec<Entry> = file
                .iter()
                .zip(1..)
                .map(|(record, line)| {
                    ops::entry(kind, line, record.as_object().unwrap(), one_by_one.clock.now())
                })
                .collect();
            let mut all = Vec::new();
            for entry in &entries {
                let before = shown(&one_by_one, kind);
                let (foreseen, done) = foreseen_and_done(&one_by_one, std::slice::from_ref(entry));
                let after = shown(&one_by_one, kind);
                let seen = match (before == after, before.len() == after.len()) {
                    _ if entry.read.is_err() => Status::Rejected,
                    (true, _) => Status::Unchanged,
                    (false, true) => Status::Updated,
                    (false, false) => Status::Created,
                };
                prop_assert_eq!(
                    &done,
                    &[seen],
                    "{} {:?} {:?} {:?}",
                    kind.key(),
                    entry,
                    before,
                    after
                );
                prop_assert_eq!(&foreseen, &done);
                all.extend(done);
            }
            let (foreseen, done) = foreseen_and_done(&at_once, &entries);
            prop_assert_eq!(&foreseen, &all);
            prop_assert_eq!(&done, &all);
            prop_assert_eq!(shown(&at_once, kind), shown(&one_by_one, kind));
            Ok(())
        });
        told.unwrap();
    }
}
