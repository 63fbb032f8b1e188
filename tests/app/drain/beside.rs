//! Several chunks under way at once, as in one server with two threads or in two servers.

use ripen::db::Pool;
use ripen::ingest::drain::{self, Limits};
use ripen::ingest::store_drain;
use ripen::jobs::PROJECTIONS;
use serde_json::{Value, json};

use super::support::{Product, call, track};

/// People who sign up, join and act, every message in two of the requests.
fn requests() -> Vec<Vec<Value>> {
    let at = |n: usize| format!("2026-11-19T08:{:02}:{:02}Z", n / 60 % 60, n % 60);
    let said = |n: usize| match n % 5 {
        0 => call(
            "identify",
            &format!("m{n}"),
            &at(n),
            json!({
            "userId": format!("u{}", n % 7), "anonymousId": format!("a{}", n % 11),
            "traits": {"email": format!("u{}@acme.com", n % 7), "count": n}}),
        ),
        1 => call(
            "group",
            &format!("m{n}"),
            &at(n),
            json!({
            "userId": format!("u{}", n % 7), "groupId": format!("w{}", n % 3), "traits": {"seats": n}}),
        ),
        2 => track(
            &format!("m{n}"),
            "upgrade_click",
            &at(n),
            json!({"anonymousId": format!("a{}", n % 11)}),
        ),
        _ => track(
            &format!("m{n}"),
            "core_feature_used",
            &at(n),
            json!({
            "userId": format!("u{}", n % 7), "context": {"groupId": format!("w{}", n % 3)}}),
        ),
    };
    (0..60).map(|row| (row * 5..row * 5 + 10).map(said).collect()).collect()
}

#[test]
fn chunks_beside_each_other_end_like_one_after_the_other() {
    let (calm, busy) = (Product::new(), Product::new());
    for request in requests() {
        calm.journal(&request);
        busy.journal(&request);
    }
    calm.drain();
    let small = Limits { rows: 2, events: 50 };
    let done: usize = std::thread::scope(|scope| {
        let drainers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    drain::until_empty(&busy.db, &busy.clock, &PROJECTIONS, small).unwrap().rows
                })
            })
            .collect();
        drainers.into_iter().map(|drainer| drainer.join().unwrap()).sum()
    });
    assert_eq!(done, 60, "each row was done by one of them");
    assert_eq!(busy.count("journal_pending"), 0);
    assert_eq!(busy.dump(), calm.dump());
}

#[test]
fn rows_that_one_chunk_has_taken_are_skipped_by_the_next_and_come_back_if_it_fails() {
    let product = Product::new();
    for n in 0..2 {
        product.journal(&[track(
            &format!("m{n}"),
            "login",
            "2026-11-19T08:00:00Z",
            json!({"userId": "u"}),
        )]);
    }
    let mut claimed = Vec::new();
    let failed: ripen::error::Result<()> = product.db.tx(Pool::Work, |conn| {
        claimed = store_drain::claim(conn, 1, 10)?.iter().map(|row| row.id).collect();
        let others = product.db.tx(Pool::Work, |conn| store_drain::claim(conn, 10, 10))?;
        claimed.extend(others.iter().map(|row| row.id));
        Err(ripen::error::Error::internal("not done"))
    });
    assert!(failed.is_err());
    assert_eq!(claimed.len(), 2);
    assert_ne!(claimed[0], claimed[1]);
    // The others' claim was committed; the failed one is pending again.
    assert_eq!(product.cell("select id from journal_pending"), Some(claimed[0].to_string()));
}
