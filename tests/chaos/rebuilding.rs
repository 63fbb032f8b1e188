//! SIGKILL of the server in the middle of counting the journal again, while clients send.

use diesel::prelude::*;
use ripen::catalog::change::Change;
use ripen::catalog::event::Definition;
use ripen::catalog::{defaults, ops, store};
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::ingest::endpoint::Endpoint;
use ripen::ingest::{intake, store_journal};
use ripen::queue;
use ripen::schema::{jobs, journal_chunks};
use ripen::team::audit::Actor;
use ripen::usage::jobs::REBUILD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clients::{self, Clients};
use crate::ledger;
use crate::schedule::{Seed, rounds};
use crate::serve::{Home, Ripen, SOURCE, free_address, furnish};
use crate::test_db::{TestDb, eventually};

/// Requests of a hundred events before the catalog changes, drained twenty at a time.
const REQUESTS: usize = 300;

/// Other key events, other values: all of it told by an event itself, so that it can be taken back.
fn another() -> Vec<Definition> {
    let mut all = defaults::definitions();
    for one in &mut all {
        match one.key.as_str() {
            "core_feature_used" => one.value_property = Some("records".to_owned()),
            "data_imported" => one.feature_property = Some("feature".to_owned()),
            "upgrade_click" | "pricing_page_view" => one.is_key = !one.is_key,
            _ => {}
        }
    }
    all
}

fn publish(db: &Database) {
    let now = Clock::system().now();
    db.tx(Pool::Work, |conn| {
        let seen = store::current(conn)?.0;
        let change = Change::Whole(another());
        ops::save(conn, &Actor::system(), seen, &change, "a test", now)
    })
    .unwrap();
}

/// Journals events that were acknowledged before; their ids.
fn preload(db: &Database, seed: &Seed) -> Vec<String> {
    let mut random = seed.random(7);
    let mut ids = Vec::new();
    for request in 0..REQUESTS {
        let own: Vec<String> = (0..100).map(|event| format!("p{request}-{event}")).collect();
        let batch: Vec<Value> = own.iter().map(|id| clients::event(id, &mut random)).collect();
        let (body, at) = (json!({ "batch": batch }).to_string(), Clock::system().now());
        let one =
            intake::prepare(Endpoint::Batch, None, body.as_bytes(), at, Uuid::now_v7()).unwrap();
        let one = one.of(SOURCE, at);
        let room = db.check_room().unwrap();
        db.tx(Pool::Work, |conn| store_journal::append(conn, room, &[&one])).unwrap();
        ids.extend(own);
        if request % 20 == 19 {
            let drained = || (ledger::count(db, "journal_pending")? == 0).then_some(());
            assert!(eventually(drained).is_some(), "the server drains");
        }
    }
    ids
}

/// Chunks that count by an older catalog, and by the newest.
fn counted(db: &Database) -> (i64, i64) {
    db.read(Pool::Work, |conn| {
        let by =
            |version| journal_chunks::table.filter(journal_chunks::catalog.eq(version)).count();
        Ok((by(1).get_result(conn)?, by(2).get_result(conn)?))
    })
    .unwrap()
}

#[test]
fn a_rebuild_that_is_killed_goes_on_where_it_was() {
    let seed = Seed::new();
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let home = Home::Given(db.url());
    let mut ripen = Ripen::start(&home, address);
    let preloaded = preload(&db, &seed);
    let clients = Clients::start(2, address, &seed);
    clients.wait_for(5);
    publish(&db);
    clients.wait_for(5);
    let (old, _) = counted(&db);
    assert!(old > 12, "{old} chunks to count again");
    let now = Clock::system().now();
    let job = db
        .tx(Pool::Work, |conn| {
            queue::store::enqueue(conn, REBUILD, &json!({}), Some("catalog"), now)
        })
        .unwrap();
    let progress = || db.read(Pool::Work, |conn| queue::store::progress(conn, job)).unwrap();
    let mut left = old;
    for _ in 0..rounds(2, 4) {
        // In the middle: some more is counted by now, and not all.
        let moved = eventually(|| (counted(&db).0 < left).then_some(()));
        assert!(moved.is_some(), "the rebuild is at work");
        ripen.kill();
        let (killed_at, _) = counted(&db);
        let in_the_middle = killed_at > 0;
        assert!(
            !in_the_middle || progress().finished_at.is_none(),
            "{killed_at} of {old} were left"
        );
        // Nobody does anything to it meanwhile, and what was counted stays counted.
        assert_eq!(counted(&db).0, killed_at);
        left = killed_at;
        // Instead of the two minutes after which the lease of the dead runs out.
        db.tx(Pool::Work, |conn| {
            let lease = jobs::table.filter(jobs::id.eq(job));
            Ok(diesel::update(lease)
                .set(jobs::lease_until.eq(Clock::system().now()))
                .execute(conn)?)
        })
        .unwrap();
        ripen = Ripen::start(&home, address);
        clients.wait_for(3);
        if !in_the_middle {
            break;
        }
        assert!(counted(&db).0 <= killed_at, "nothing is counted from the start again");
    }
    assert!(left < old, "killed in the middle at least once");
    let finished = eventually(|| progress().finished_at);
    assert!(finished.is_some(), "{:?} of {:?}", progress().done, progress().total);
    assert_eq!(counted(&db).0, 0);
    clients.wait_for(3);
    let mut all = clients.finish();
    all.acknowledged.extend(preloaded);
    ledger::audit_by(&db, &all, publish);
}
