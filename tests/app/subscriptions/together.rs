//! Several servers, and people, at once: whoever comes second waits, and sees what the first one did.

use diesel::PgConnection;
use ripen::bulk::call::Sender;
use ripen::bulk::kind::Kind;
use ripen::bulk::ops as bulk;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ids::{SourceId, WorkspaceId};
use ripen::jobs::PROJECTIONS;
use ripen::subscriptions::ops::{self, Written};
use ripen::subscriptions::ops_stripe::{self, Outcome};
use ripen::subscriptions::stripe::event;
use ripen::team::audit::Actor;
use ripen::team::member::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{record, stripe as shop};
use crate::drain::support::{Product, call};
use crate::test_db::eventually;

/// Does `second` on another connection while `first` is done and not yet committed. Tells whether
/// `second` waited, and what both said.
fn beside<A: Send, B: Send>(
    product: &Product,
    first: impl Fn(&mut PgConnection) -> Result<A> + Sync,
    second: impl FnOnce() -> B + Send,
) -> (A, bool, B) {
    std::thread::scope(|scope| {
        let mut second = Some(second);
        let mut running = None;
        let (done, waited) = product
            .db
            .tx(Pool::Work, |conn| {
                let done = first(conn)?;
                let second = running.insert(scope.spawn(second.take().expect("no second try")));
                // Everybody here waits by an advisory lock, or by a row's.
                let waits = "select count(*) from pg_stat_activity
                             where datname = current_database() and wait_event_type = 'Lock'";
                let waited = eventually(|| {
                    let waits = product.cell(waits).as_deref() != Some("0");
                    (waits || second.is_finished()).then_some(waits)
                });
                Ok((done, waited.expect("it waits or ends")))
            })
            .unwrap();
        (done, waited, running.expect("it was started").join().unwrap())
    })
}

fn take(conn: &mut PgConnection, told: &Value, product: &Product) -> Result<Outcome> {
    let event = event::read(told.to_string().as_bytes()).unwrap();
    ops_stripe::take(conn, &event, (Uuid::nil(), Uuid::nil()), product.clock.now())
}

/// The same by another server.
fn taken(told: &Value, product: &Product) -> Outcome {
    product.db.tx(Pool::Ingest, |conn| take(conn, told, product)).unwrap()
}

fn told(id: &str, kind: &str, second: i64, subscription: &str, workspace: &str) -> Value {
    let mut event = shop::event(id, kind, second, "active", 4 + second, Value::Null);
    event["data"]["object"]["id"] = subscription.into();
    event["data"]["object"]["metadata"]["workspace_id"] = workspace.into();
    event
}

fn owner(product: &Product, subscription: &str) -> Option<String> {
    product.cell(&format!("select workspace_id from subscriptions where id = '{subscription}'"))
}

fn product() -> Product {
    let product = Product::new();
    let group = json!({"userId": "u", "groupId": "w2", "traits": {"stripe_customer_id": "cus_2"}});
    product.send(&[call("group", "m1", "2026-11-20T08:00:00Z", group)]);
    product
}

#[test]
fn two_servers_take_one_event_once() {
    let product = product();
    let event = told("evt_1", "created", 0, "sub_1", "w2");
    let (first, waited, second) =
        beside(&product, |conn| take(conn, &event, &product), || taken(&event, &product));
    assert_eq!((first, second), (Outcome::Applied, Outcome::Duplicate));
    assert!(waited);
    assert_eq!(product.count("subscription_changes where origin = 'stripe'"), 1);
}

#[test]
fn of_two_events_at_once_the_newer_one_stands() {
    for (one, other) in [(0, 9), (9, 0)] {
        let product = product();
        let event = |second: i64| told(&format!("evt_{second}"), "updated", second, "sub_1", "w2");
        beside(
            &product,
            |conn| take(conn, &event(one), &product),
            || taken(&event(other), &product),
        );
        let seats = product.cell("select seats_purchased from subscriptions where id = 'sub_1'");
        assert_eq!(seats.as_deref(), Some("13"), "{one} and then {other}");
        assert_eq!(product.count("subscription_changes where origin = 'stripe'"), 2);
    }
}

#[test]
fn of_two_records_of_a_new_subscription_at_once_the_newer_one_stands() {
    let product = product();
    let now = product.clock.now();
    let row = |status: &str, at: &str| {
        record(&json!({"id": "s", "workspace_id": "w2", "status": status, "updated_at": at}), now)
    };
    let (newer, older) =
        (row("past_due", "2026-11-20T10:01:00Z"), row("active", "2026-11-20T10:00:00Z"));
    let (first, waited, second) = beside(
        &product,
        |conn| ops::upsert(conn, &[&newer], now),
        || product.db.tx(Pool::Ingest, |conn| ops::upsert(conn, &[&older], now)).unwrap(),
    );
    assert_eq!((first, second), (vec![Written::New], vec![Written::Older]));
    assert!(waited);
    let status = product.cell("select status from subscriptions where id = 's'");
    assert_eq!(status.as_deref(), Some("past_due"));
}

fn map(conn: &mut PgConnection, product: &Product, member: ripen::ids::MemberId) -> Result<usize> {
    let by = (&Actor::system(), member);
    let workspace = Some((WorkspaceId::of("w2"), "w2"));
    ops_stripe::map(conn, by, "cus_1", workspace, product.clock.now())
}

fn mapper(product: &Product) -> ripen::ids::MemberId {
    let new = ripen::team::store::NewMember {
        email: "rolf@ripen.test".to_owned(),
        name: "Rolf".to_owned(),
        role: Role::Revops,
        function: None,
        password_hash: "none".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    let now = product.clock.now();
    product.db.tx(Pool::Work, |conn| ripen::team::store::insert(conn, &new, now)).unwrap()
}

#[test]
fn a_subscription_that_comes_while_its_customer_is_mapped_is_mapped() {
    for is_mapping_first in [true, false] {
        let product = product();
        let member = mapper(&product);
        assert_eq!(taken(&told("evt_0", "created", 0, "sub_0", ""), &product), Outcome::Unmapped);
        let event = told("evt_1", "created", 1, "sub_1", "");
        let waited = if is_mapping_first {
            beside(&product, |conn| map(conn, &product, member), || taken(&event, &product)).1
        } else {
            let mapped = || product.db.tx(Pool::Web, |conn| map(conn, &product, member)).unwrap();
            beside(&product, |conn| take(conn, &event, &product), mapped).1
        };
        assert!(waited);
        let expected = Some(WorkspaceId::of("w2").to_string());
        assert_eq!(
            (owner(&product, "sub_0"), owner(&product, "sub_1")),
            (expected.clone(), expected),
            "mapping first: {is_mapping_first}"
        );
    }
}

#[test]
fn a_subscription_that_comes_beside_its_workspace_finds_it() {
    for is_workspace_first in [true, false] {
        let product = product();
        let mut event = told("evt_1", "created", 0, "sub_1", "w1");
        // A trait of w2 names this customer, so that there is another answer.
        event["data"]["object"]["customer"] = "cus_2".into();
        let apply = |conn: &mut PgConnection| {
            let (now, said) = (product.clock.now(), json!({"workspace_id": "w1", "name": "One"}));
            let entry = bulk::entry(Kind::Workspaces, 1, said.as_object().unwrap(), now);
            let sender = Sender { source: SourceId(Uuid::nil()), received_at: now };
            bulk::apply(conn, sender, &PROJECTIONS, &[entry]).map(|done| done.len())
        };
        let waited = if is_workspace_first {
            beside(&product, apply, || taken(&event, &product)).1
        } else {
            let applied = || product.db.tx(Pool::Ingest, apply).unwrap();
            beside(&product, |conn| take(conn, &event, &product), applied).1
        };
        assert!(waited);
        let expected = Some(WorkspaceId::of("w1").to_string());
        assert_eq!(owner(&product, "sub_1"), expected, "workspace first: {is_workspace_first}");
    }
}
