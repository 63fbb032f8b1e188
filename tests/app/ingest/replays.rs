//! Replaying after mending the cause, for every code; nothing is stored twice.

use chrono::TimeDelta;
use ripen::db::Pool;
use ripen::error::Error;
use ripen::ingest::ops::{self, BATCH};
use ripen::ingest::store_dead_letters::{self as letters, Chosen};
use ripen::ingest::store_replays::{self as replays, Standing};
use ripen::team::audit::Actor;
use serde_json::json;

use crate::drain::support::{Product, call, track};

const AT: &str = "2026-11-20T08:00:00Z";

fn replay(product: &Product, chosen: &Chosen) -> Standing {
    product.clock.advance(TimeDelta::seconds(1));
    let (now, room) = (product.clock.now(), product.db.check_room().unwrap());
    let id = product
        .db
        .tx(Pool::Work, |conn| ops::replay(conn, room, &Actor::system(), chosen, now))
        .unwrap();
    product.drain();
    let (replay, standing) =
        product.db.read(Pool::Work, |conn| replays::standing(conn, id)).unwrap();
    assert!(replay.finished_at.is_some() && !standing.draining);
    standing
}

fn open(product: &Product) -> Vec<letters::DeadLetter> {
    product
        .db
        .read(Pool::Work, |conn| letters::page(conn, &Chosen::default(), None, 1_000))
        .unwrap()
}

fn stands(tried: i64, refused: i64) -> Standing {
    Standing { tried, refused, draining: false }
}

/// Events that count in a workspace.
fn stored(product: &Product) -> Option<String> {
    product.cell("select sum(events) from usage_days")
}

#[test]
fn an_event_without_a_workspace_comes_back_until_its_person_has_one() {
    let product = Product::new();
    product.send(&[track("m1", "upgrade_click", AT, json!({ "userId": "u1" }))]);
    let group = Chosen::group("missing_workspace");
    assert_eq!(replay(&product, &group), stands(1, 1), "nothing was mended");
    assert_eq!(replay(&product, &group), stands(1, 1));
    product.send(&[call("group", "m2", AT, json!({ "userId": "u1", "groupId": "w" }))]);
    assert!(open(&product).is_empty(), "the group() itself has placed it");
    assert_eq!(stored(&product).as_deref(), Some("1"));
    product.execute("update dead_letters set replayed_at = null");
    assert_eq!(replay(&product, &group), stands(1, 0));
    assert_eq!(stored(&product).as_deref(), Some("1"), "once is enough");
}

#[test]
fn an_event_of_nobody_is_refused_again_and_stored_once_its_text_is_mended() {
    let product = Product::new();
    let event = json!({ "userId": "null", "groupId": "w", "context": { "groupId": "w" } });
    product.send(&[track("m1", "upgrade_click", AT, event)]);
    let letter = open(&product).remove(0);
    assert_eq!(letter.code, "blocked_identity");
    assert_eq!(replay(&product, &Chosen::one(letter.id)), stands(1, 1));

    let mended = letter.raw.replace("\"null\"", "\"u7\"");
    let mend = |text: &str| {
        product.clock.advance(TimeDelta::seconds(1));
        let (now, room) = (product.clock.now(), product.db.check_room().unwrap());
        product
            .db
            .tx(Pool::Work, |conn| ops::mend(conn, room, &Actor::system(), letter.id, text, now))
    };
    assert!(matches!(mend("{\"batch\":[{}]}"), Err(Error::Invalid(_))), "the parser has its say");
    mend(&mended).unwrap();
    product.drain();
    assert!(open(&product).is_empty());
    assert_eq!(stored(&product).as_deref(), Some("1"));
    assert!(matches!(mend(&mended), Err(Error::Conflict(_))), "once is enough");
    let kept = product.cell("select raw from dead_letters").unwrap();
    assert!(kept.contains("\"null\""), "what came is kept");
    assert_eq!(product.count("audit_entries where action = 'dead_letter.mended'"), 1);
}

#[test]
fn what_ripen_stumbled_over_is_stored_after_the_update() {
    let product = Product::new();
    product.send(&[track("m1", "upgrade_click", AT, json!({ "userId": "u1", "groupId": "w" }))]);
    product.execute(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, raw)
         select '00000000-0000-0000-0000-00000000000a', id, '2026-11-20T08:00:00Z', 'drainer', 'internal', 'why',
                '{\"batch\":[{\"type\":\"track\",\"event\":\"upgrade_click\",\"userId\":\"u2\",\"messageId\":\"m2\",
                   \"context\":{\"groupId\":\"w\"}}]}' from sources",
    );
    let group = Chosen::group("internal");
    assert_eq!(replay(&product, &group), stands(1, 0));
    assert_eq!(stored(&product).as_deref(), Some("2"));
    product.execute("update dead_letters set replayed_at = null");
    assert_eq!(replay(&product, &group), stands(1, 0), "known already is not refused");
    assert_eq!(stored(&product).as_deref(), Some("2"), "and not stored twice");
}

#[test]
fn a_sender_that_mended_its_code_and_sent_again_is_not_counted_twice() {
    let product = Product::new();
    let event = track("m1", "upgrade_click", AT, json!({ "userId": "u1", "groupId": "w" }));
    product.execute(&format!(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, raw)
         select gen_random_uuid(), id, '2026-11-20T08:00:00Z', 'parser', 'missing_identity', 'why',
                '{}' from sources",
        json!({ "batch": [event] })
    ));
    product.send(&[event]);
    let before = stored(&product);
    assert_eq!(replay(&product, &Chosen::group("missing_identity")), stands(1, 0));
    assert_eq!(stored(&product), before);
}

#[test]
fn a_replay_of_many_is_a_job_that_goes_on_where_it_was_interrupted() {
    let product = Product::new();
    let letters = BATCH + 20;
    product.execute(&format!(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, event_name, raw)
         select gen_random_uuid(), s.id, '2026-11-20T08:00:00Z', 'parser', 'too_many_events', 'why', 'E',
                '{{\"batch\":[{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u' || n % 7 || '\",\"messageId\":\"m' || n
                || '\",\"context\":{{\"groupId\":\"w\"}}' || case when n <= 20 then ',\"timestamp\":\"x\"' else '' end
                || '}}]}}'
         from sources s, generate_series(1, {letters}) n"
    ));
    let chosen = Chosen { event: Some("E".into()), ..Chosen::group("too_many_events") };
    let (now, room) = (product.clock.now(), product.db.check_room().unwrap());
    let id = product
        .db
        .tx(Pool::Work, |conn| ops::replay(conn, room, &Actor::system(), &chosen, now))
        .unwrap();
    let standing = || product.db.read(Pool::Work, |conn| replays::standing(conn, id)).unwrap();
    assert_eq!((standing().0.letters, standing().1.tried), (letters, 0), "it waits for its job");
    let first = product.db.tx(Pool::Work, |conn| ops::step(conn, room, id, now)).unwrap();
    assert!(first.more && standing().1.tried == BATCH);
    let stop = std::sync::atomic::AtomicBool::new(false);
    ripen::queue::engine::drain(&product.db, &product.clock, &ripen::jobs::HANDLERS, &stop)
        .unwrap();
    product.drain();
    assert_eq!(standing().1, stands(letters, 20));
    let left = Chosen { replay: Some(id), ..Chosen::default() };
    let left = product.db.read(Pool::Work, |conn| letters::page(conn, &left, None, 100)).unwrap();
    assert_eq!(left.len(), 20);
    assert!(left.iter().all(|letter| letter.code == "bad_timestamp"), "the reason of today");
    assert_eq!(stored(&product), Some(BATCH.to_string()));
}

#[test]
fn a_parsers_letter_that_the_drainer_refuses_is_refused_again() {
    let product = Product::new();
    product.execute(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, raw)
         select gen_random_uuid(), id, '2026-11-20T08:00:00Z', 'parser', 'too_many_events', 'why',
                '{\"batch\":[{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"m\"}]}' from sources",
    );
    let letter = open(&product).remove(0).id;
    assert_eq!(replay(&product, &Chosen::one(letter)), stands(1, 1));
    let again = open(&product).remove(0);
    assert_eq!(again.code, "missing_workspace");
    let tried = product.db.read(Pool::Work, |conn| replays::attempts(conn, letter)).unwrap();
    assert_eq!(tried[0].refused_as, Some(again.id), "one leads to the other");
}

/// The letter with another text, drained.
fn mend(product: &Product, letter: &letters::DeadLetter, text: &str) {
    product.clock.advance(TimeDelta::seconds(1));
    let (now, room) = (product.clock.now(), product.db.check_room().unwrap());
    product
        .db
        .tx(Pool::Work, |conn| ops::mend(conn, room, &Actor::system(), letter.id, text, now))
        .unwrap();
    product.drain();
}

/// Publishes the default catalog, with the event muted or not, and counts everything again.
fn count_again(product: &Product, muted: bool) {
    let mut all = ripen::catalog::defaults::definitions();
    let click = all.iter_mut().find(|one| one.key == "upgrade_click").unwrap();
    click.muted_at = muted.then_some(chrono::DateTime::UNIX_EPOCH);
    let (change, now) = (ripen::catalog::change::Change::Whole(all), product.clock.now());
    product
        .db
        .tx(Pool::Work, |conn| {
            let seen = ripen::catalog::store::current(conn)?.0;
            ripen::catalog::ops::save(conn, &Actor::system(), seen, &change, "a test", now)
        })
        .unwrap();
    let step = |conn: &mut diesel::PgConnection| ripen::usage::rebuild::step(conn, now, 1_000);
    while product.db.tx(Pool::Work, step).unwrap().chunks > 0 {}
}

#[test]
fn a_workspace_that_a_person_wrote_into_the_text_counts_and_counts_once() {
    let product = Product::new();
    let event = track("m1", "upgrade_click", AT, json!({ "userId": "u1" }));
    product.send(&[event.clone(), track("m2", "upgrade_click", AT, json!({ "userId": "u2" }))]);
    product.send(std::slice::from_ref(&event));
    let letter = open(&product).into_iter().find(|one| one.raw.contains("\"u1\"")).unwrap();
    let mended = letter.raw.replacen("\"type\"", "\"context\":{\"groupId\":\"w\"},\"type\"", 1);
    assert_ne!(mended, letter.raw);
    mend(&product, &letter, &mended);
    assert_eq!(open(&product).len(), 1, "the other one");
    assert_eq!(stored(&product).as_deref(), Some("1"));
    assert_eq!((product.count("key_events"), product.count("inferred_events")), (1, 1));
    assert_eq!(product.cell("select external_id from workspaces").as_deref(), Some("w"));
    // The first copy names no workspace, and is counted by no rebuild.
    product.send(&[event]);
    product.send(&[call("group", "m3", AT, json!({ "userId": "u1", "groupId": "elsewhere" }))]);
    assert_eq!(stored(&product).as_deref(), Some("1"));
    count_again(&product, true);
    assert_eq!(stored(&product), None);
    count_again(&product, false);
    assert_eq!(stored(&product).as_deref(), Some("1"));
    assert_eq!(product.count("key_events"), 1);
}

#[test]
fn a_text_that_still_says_no_workspace_leaves_its_letter_open() {
    let product = Product::new();
    let junk = json!({ "userId": "u1", "context": { "groupId": "undefined" } });
    product.send(&[track("m1", "upgrade_click", AT, junk)]);
    let group = Chosen::group("missing_workspace");
    assert_eq!(replay(&product, &group), stands(1, 1), "nothing was mended");
    let letter = open(&product).remove(0);
    for (from, to) in [("\"u1\"", "\"undefined\""), ("\"undefined\"", "\"null\"")] {
        let text = open(&product).remove(0).raw.replace(from, to);
        mend(&product, &letter, &text);
        assert_eq!(open(&product).len(), 1, "{text}");
    }
    // Somebody else, in a workspace: that is what it is then.
    let text = letter.raw.replace("\"u1\"", "\"u2\"").replace("\"undefined\"", "\"w\"");
    mend(&product, &letter, &text);
    assert!(open(&product).is_empty());
    assert_eq!(
        product
            .cell("select p.external_id from key_events e join product_users p on p.id = e.user_id")
            .as_deref(),
        Some("u2")
    );
    assert_eq!(product.count("inferred_events"), 0);
}
