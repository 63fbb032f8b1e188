//! What is measured about ingestion, and which names were sent.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::ids::SourceId;
use ripen::ingest::measure::{Measure, Spread};
use ripen::ingest::names::NameDay;
use ripen::ingest::{store_measures, store_names};
use serde_json::json;

use super::server::{Server, source};
use crate::drain::support::{Product, track};
use crate::test_db::TestDb;

fn spread(db: &Database, source: SourceId, measure: Measure) -> Spread {
    let since = DateTime::<Utc>::UNIX_EPOCH;
    db.read(Pool::Work, |conn| {
        let mut slots = store_measures::slots(conn, &[source], measure, since, 86_400)?;
        assert!(slots.len() <= 1, "all of today");
        Ok(slots.pop().map(|slot| slot.spread).unwrap_or_default())
    })
    .unwrap()
}

#[test]
fn requests_leave_their_waiting_and_their_senders_clock() {
    let db = TestDb::new();
    let source = source(&db);
    let server = Server::start(&db);
    let sent = |hours: i64| {
        let at = Clock::system().now() + TimeDelta::hours(hours);
        let body = json!({ "sentAt": at.to_rfc3339(), "batch": [
            { "type": "track", "event": "A", "userId": "u", "messageId": format!("m{hours}") }] });
        assert_eq!(server.post("/v1/batch", &body.to_string()).status, 200);
    };
    sent(0);
    sent(-3);
    let one = json!({ "event": "A", "userId": "u", "sentAt": Clock::system().now().to_rfc3339() });
    assert_eq!(server.post("/v1/track", &one.to_string()).status, 200);
    assert_eq!(server.post("/v1/track", r#"{"event":"A","userId":"u"}"#).status, 200);
    // The recorder writes once a second.
    let since = Instant::now();
    while spread(&db, source, Measure::Accept).times() < 4 {
        assert!(since.elapsed() < Duration::from_secs(20), "nothing was written down");
    }
    let accept = spread(&db, source, Measure::Accept);
    assert_eq!(accept.times(), 4);
    assert!(accept.percentile(95) <= accept.highest());
    let skew = spread(&db, source, Measure::Skew);
    assert_eq!(skew.times(), 3, "the last one did not say when it was sent");
    assert_eq!((skew.at(5), skew.at(9)), (2, 1), "two clocks are right, one is hours behind");
}

#[test]
fn the_drainer_leaves_how_long_events_waited_and_names_are_counted_once() {
    let product = Product::new();
    let now = product.clock.now();
    let event = |id: &str, name: &str| {
        track(id, name, "2026-11-20T11:00:00Z", json!({ "userId": "u", "groupId": "w" }))
    };
    product.journal(&[event("1", "Invite Sent"), event("2", "Unheard Of")]);
    product.clock.advance(TimeDelta::seconds(3));
    product.drain();
    product.journal(&[event("1", "Invite Sent"), event("3", "invite_sent")]);
    product.clock.advance(TimeDelta::milliseconds(40));
    product.drain();

    let lag = spread(&product.db, product.source, Measure::Lag);
    assert_eq!((lag.times(), lag.highest(), lag.percentile(50)), (4, Some(3_000), Some(40)));
    let (names, days) = product
        .db
        .read(Pool::Work, |conn| {
            let since = now.date_naive();
            Ok((
                store_names::of_source(conn, product.source)?,
                store_names::days(conn, product.source, since)?,
            ))
        })
        .unwrap();
    let told: Vec<_> =
        names.iter().map(|name| (name.name.as_str(), name.events, name.is_unknown)).collect();
    assert_eq!(told, [("invite_sent", 2, false), ("unheard_of", 1, true)], "a retry counts once");
    assert_eq!(names[0].last_received_at - names[0].first_received_at, TimeDelta::seconds(3));
    let of = |day: &NameDay| (day.name.clone(), day.day, day.events);
    let day = now.date_naive();
    assert_eq!(
        days.iter().map(of).collect::<Vec<_>>(),
        [("invite_sent".into(), day, 2), ("unheard_of".into(), day, 1)]
    );
}
