//! Key events lie in days: any age comes in, days are made as they come up and dropped when they are old.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use ripen::db::Pool;
use ripen::ids::WorkspaceId;
use ripen::jobs::{HANDLERS, furnish};
use ripen::queue::{engine, store};
use ripen::retention;
use ripen::retention::policy::Policy;
use ripen::team::audit::Actor;
use ripen::usage::store_days;
use ripen::workspaces::store_timeline::{self, Wanted};
use serde_json::{Value, json};

use super::support::{Product, call, track};

fn tidy(product: &Product) {
    let now = product.clock.now();
    product
        .db
        .tx(Pool::Work, |conn| {
            furnish(conn, now)?;
            store::enqueue(conn, "tidy", &json!({}), None, now)
        })
        .unwrap();
    let stop = AtomicBool::new(false);
    assert_eq!(engine::drain(&product.db, &product.clock, &HANDLERS, &stop).unwrap(), 1);
}

/// Days that have a partition, oldest first.
fn days(product: &Product) -> Vec<String> {
    let all = product.cell(
        "select string_agg(substring(relname from '[0-9]{8}$'), ',' order by relname) from pg_class
         where relname ~ '^key_events_[0-9]{8}$'",
    );
    all.map(|all| all.split(',').map(str::to_owned).collect()).unwrap_or_default()
}

fn click(id: &str, at: &str) -> Value {
    track(id, "upgrade_click", at, json!({"userId": "u1", "context": {"groupId": "w"}}))
}

#[test]
fn twelve_years_of_history_come_in_and_only_what_is_kept_gets_a_day() {
    let product = Product::new();
    tidy(&product);
    assert_eq!(days(&product), ["20261120", "20261121", "20261122"]);
    let start: DateTime<Utc> = "2014-11-20T10:00:00Z".parse().unwrap();
    let all: Vec<Value> = (0..4_384)
        .map(|day| {
            let at = start + TimeDelta::days(day);
            click(&format!("m{day}"), &at.to_rfc3339())
        })
        .collect();
    for part in all.chunks(2_000) {
        product.journal(part);
    }
    product.drain();
    assert_eq!(product.count("usage_days"), 4_384, "usage days are kept for every day");
    assert_eq!(product.count("key_events"), 401, "of today and of the 400 days before");
    assert_eq!(days(&product).len(), 401 + 2);
    assert_eq!(days(&product)[0], "20251016");
    assert_eq!(product.count("key_events_default"), 0);
    assert_eq!(product.count("dead_letters"), 0);
}

#[test]
fn old_days_are_dropped_and_what_followed_from_them_stays() {
    let product = Product::new();
    tidy(&product);
    let of = |extra: Value| {
        let mut all = json!({"userId": "ana", "context": {"groupId": "w"}});
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        all
    };
    // An hour in which one event was repeated a hundred times, somebody who founded the workspace, and
    // somebody who was invited.
    let mut first: Vec<Value> = (0..100)
        .map(|n| track(&format!("l{n}"), "upgrade_click", "2026-11-18T08:00:00Z", of(json!({}))))
        .collect();
    first.push(call(
        "group",
        "g1",
        "2026-11-18T07:00:00Z",
        json!({"userId": "ana", "groupId": "w"}),
    ));
    first.push(track("c", "workspace_created", "2026-11-18T07:00:00Z", of(json!({}))));
    first.push(call(
        "group",
        "g2",
        "2026-11-18T07:30:00Z",
        json!({"userId": "bo", "groupId": "w"}),
    ));
    first.push(track(
        "i",
        "invite_accepted",
        "2026-11-18T07:30:00Z",
        json!({"userId": "bo", "context": {"groupId": "w"},
               "properties": {"invitation_source": "link", "invited_by": "ana"}}),
    ));
    product.send(&first);
    let loops = || product.loops("w").into_values().sum::<i64>();
    let roles = || {
        product.cell(
            "select string_agg(concat_ws('/', role, invitation_source, invited_by), ',' order by invited_by nulls first)
             from memberships",
        )
    };
    assert_eq!((loops(), roles().as_deref()), (1, Some("admin,link/ana")));
    assert_eq!(product.count("key_events"), 102);
    product.clock.advance(TimeDelta::days(410));
    tidy(&product);
    assert_eq!(product.count("key_events"), 0);
    assert_eq!(days(&product), ["20280104", "20280105", "20280106"]);
    // A late event of such a day counts; it is not kept, and what is known of the day is not told anew.
    product.send(&[
        track("late", "upgrade_click", "2026-11-18T08:30:00Z", of(json!({}))),
        track("late2", "invite_accepted", "2026-11-18T09:00:00Z", of(json!({}))),
        call("group", "g3", "2028-01-04T07:00:00Z", json!({"userId": "bo", "groupId": "w"})),
    ]);
    assert_eq!(product.count("key_events"), 0);
    assert_eq!(loops(), 1, "the hours of a day are kept with the day");
    assert_eq!(roles().as_deref(), Some("admin/invite,link/ana"));
    let clicks =
        product.cell("select sum(events) from usage_days where event_key = 'upgrade_click'");
    assert_eq!(clicks.as_deref(), Some("101"));
}

#[test]
fn a_day_that_cannot_be_made_waits_in_the_default_partition_for_its_own() {
    let product = Product::new();
    // Before anything is stored, as a server starts: there is nothing that older rules made.
    product.db.tx(Pool::Work, |conn| furnish(conn, product.clock.now())).unwrap();
    // Somebody reads the default partition, which an attached day has to lock for a moment.
    let mut reader = product.db.checkout(Pool::Web).unwrap();
    reader.batch_execute("begin; select count(*) from key_events_default").unwrap();
    product.send(&[click("a", "2026-11-19T08:00:00Z"), click("b", "2026-11-20T08:00:00Z")]);
    assert_eq!(product.count("key_events_default"), 2);
    reader.batch_execute("commit").unwrap();
    // Its day is not made beside the rows that lie there, another one is.
    product.send(&[click("c", "2026-11-19T09:00:00Z"), click("d", "2026-11-18T09:00:00Z")]);
    assert_eq!(days(&product), ["20261118"]);
    tidy(&product);
    assert_eq!(product.count("key_events_default"), 0);
    assert_eq!(days(&product), ["20261118", "20261119", "20261120", "20261121", "20261122"]);
    assert_eq!(product.count("key_events"), 4);
    let calm = Product::new();
    calm.send(&["a", "b", "c", "d"].map(|id| {
        click(
            id,
            [
                "2026-11-19T08:00:00Z",
                "2026-11-20T08:00:00Z",
                "2026-11-19T09:00:00Z",
                "2026-11-18T09:00:00Z",
            ][usize::from(id.as_bytes()[0] - b'a')],
        )
    }));
    assert_eq!(product.dump(), calm.dump());
}

#[test]
fn two_may_make_the_same_day_at_once() {
    let product = Product::new();
    let day = "2026-11-01".parse().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let all = std::collections::BTreeSet::from([day]);
                product.db.tx(Pool::Work, |conn| store_days::make_room(conn, &all)).unwrap();
            });
        }
    });
    assert_eq!(days(&product), ["20261101"]);
}

/// The newest key events in spans of days are the newest of all.
#[test]
fn reading_back_in_spans_finds_what_reading_all_finds() {
    let product = Product::new();
    let random = &mut StdRng::seed_from_u64(11);
    let now = product.clock.now();
    let all: Vec<Value> = (0..400)
        .map(|n| {
            // Some days crowded, most of them empty, the oldest a year ago.
            let back = [0, 1, 7, 8, 9, 35, 36, 37, 100, 101, 300, 365][random.random_range(0..12)];
            let at = now - TimeDelta::days(back) - TimeDelta::minutes(random.random_range(0..300));
            click(&format!("m{n}"), &at.to_rfc3339())
        })
        .collect();
    product.send(&all);
    let workspace = WorkspaceId::of("w");
    let expected: Vec<(DateTime<Utc>, uuid::Uuid)> = product
        .db
        .read(Pool::Work, |conn| {
            use ripen::schema::key_events as k;
            Ok(k::table
                .order((k::occurred_at.desc(), k::id.desc()))
                .select((k::occurred_at, k::id))
                .load(conn)?)
        })
        .unwrap();
    assert_eq!(expected.len(), 400);
    for limit in [1, 5, 50, 399, 400, 1_000] {
        let (mut got, mut before) = (Vec::new(), None);
        loop {
            let wanted = Wanted { before, ..Wanted::default() };
            let rows = product
                .db
                .read(Pool::Work, |conn| store_timeline::events(conn, workspace, &wanted, limit))
                .unwrap();
            let Some(last) = rows.last() else { break };
            before = Some((last.at, last.id));
            got.extend(rows.iter().map(|row| (row.at, row.id)));
        }
        assert_eq!(got, expected, "{limit} at a time");
    }
}

#[test]
fn kept_shorter_and_longer_again_nothing_comes_back_and_new_history_is_kept() {
    let product = Product::new();
    tidy(&product);
    product.send(&[click("a", "2026-06-01T08:00:00Z"), click("b", "2026-11-01T08:00:00Z")]);
    let set = |days: i32| {
        let now = product.clock.now();
        product
            .db
            .tx(Pool::Work, |conn| {
                let seen = retention::store::load(conn)?.policy;
                let policy = Policy { key_event_days: days, ..seen };
                retention::ops::save(conn, &Actor::system(), seen, policy, now)
            })
            .unwrap();
    };
    set(60);
    assert_eq!(product.count("key_events"), 2, "nothing goes by saving");
    tidy(&product);
    assert_eq!(product.count("key_events"), 1);
    product.send(&[click("c", "2026-06-02T08:00:00Z")]);
    assert_eq!(product.count("key_events"), 1);
    set(400);
    product.send(&[click("d", "2026-06-03T08:00:00Z")]);
    tidy(&product);
    assert_eq!(
        product.cell("select string_agg(to_char(occurred_at, 'MM-DD'), ',' order by occurred_at) from key_events").as_deref(),
        Some("06-03,11-01")
    );
}

/// The table as it was before days: rows of any age are carried over by the migration.
#[test]
fn the_migration_carries_everything_over_and_back() {
    let product = Product::new();
    tidy(&product);
    product.send(&[
        click("a", "2026-11-18T23:59:59.999Z"),
        click("b", "2026-11-19T00:00:00Z"),
        track(
            "c",
            "workspace_created",
            "2026-11-19T00:00:00Z",
            json!({"userId": "u1", "context": {"groupId": "w"}}),
        ),
        track(
            "d",
            "invite_accepted",
            "2026-11-19T00:00:00Z",
            json!({"userId": "u2", "context": {"groupId": "w"}, "properties": {"inviter": "u1"}}),
        ),
    ]);
    let before = product.dump();
    let mut conn = product.db.checkout(Pool::Work).unwrap();
    let migration = |part: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        std::fs::read_to_string(folder.join("2026-11-20-003800_keep_days").join(part)).unwrap()
    };
    conn.batch_execute(&migration("down.sql")).unwrap();
    conn.batch_execute(
        "insert into key_events select workspace_id, occurred_at - interval '9 years', id, user_id, event_key, name,
             feature, value, properties, source_id, inferred from key_events where event_key = 'upgrade_click'",
    )
    .unwrap();
    conn.batch_execute(&format!("begin; {}; commit", migration("up.sql"))).unwrap();
    drop(conn);
    assert_eq!(product.count("key_events"), 6);
    assert_eq!(product.count("key_events_default"), 2, "nine years ago");
    tidy(&product);
    assert_eq!(product.dump(), before);
    assert_eq!(product.count("key_events_20261119"), 3);
}
