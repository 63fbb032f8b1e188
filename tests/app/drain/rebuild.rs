//! Counted again by another catalog, the journal ends as if that catalog had been there from the start.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use ripen::catalog::change::Change;
use ripen::catalog::condition::Condition;
use ripen::catalog::event::Definition;
use ripen::catalog::operator::Op;
use ripen::catalog::{change, defaults, ops, store};
use ripen::db::Pool;
use ripen::error::{Error, Result};
use ripen::ingest::drain::{self, Limits};
use ripen::ingest::ops_notes;
use ripen::jobs::{HANDLERS, PROJECTIONS};
use ripen::queue;
use ripen::queue::engine;
use ripen::team::audit::Actor;
use ripen::usage::jobs::REBUILD;
use ripen::usage::rebuild::{self, Step};
use serde_json::{Value, json};

use super::calls::story;
use super::support::{Product, track};

fn publish(product: &Product, all: &[Definition]) {
    let (all, now) = (Change::Whole(all.to_vec()), product.clock.now());
    product
        .db
        .tx(Pool::Work, |conn| {
            let seen = store::current(conn)?.0;
            ops::save(conn, &Actor::system(), seen, &all, "a test", now)
        })
        .unwrap();
}

fn step(product: &Product, events: i64) -> Step {
    let now = product.clock.now();
    product.db.tx(Pool::Work, |conn| rebuild::step(conn, now, events)).unwrap()
}

fn rebuild_all(product: &Product) -> Step {
    let mut total = Step::default();
    loop {
        let done = step(product, 50);
        if done.chunks == 0 {
            return total;
        }
        total.chunks += done.chunks;
        total.events += done.events;
        total.changed += done.changed;
    }
}

/// Makes one of small notes of the day, as far as they are alike.
fn merge(product: &Product, at_most: i64) {
    let tomorrow = product.clock.today().succ_opt().unwrap();
    product.db.tx(Pool::Work, |conn| ops_notes::merge(conn, 0, tomorrow, at_most)).unwrap();
}

/// A step that dies before its commit.
fn killed(product: &Product) {
    let now = product.clock.now();
    let died: Result<()> = product.db.tx(Pool::Work, |conn| {
        rebuild::step(conn, now, 30)?;
        Err(Error::internal("killed"))
    });
    assert!(died.is_err());
}

/// What a catalog decides. When somebody was last active is known to the day after a rebuild, and
/// names that were undefined once stay collected.
fn counted(product: &Product) -> Vec<String> {
    let mut lines: Vec<String> = product
        .dump()
        .into_iter()
        .filter(|line| !line.starts_with("unknown_event_names "))
        .map(|line| match line.split_once("memberships ") {
            Some((of @ ("" | "visitor_"), row)) => {
                let mut row: Value = serde_json::from_str(row).unwrap();
                let row = row.as_object_mut().unwrap();
                row.remove("last_active_at");
                row.remove("explicit_active_at");
                format!("{of}memberships {}", json!(row))
            }
            _ => line,
        })
        .collect();
    lines.push(format!(
        "letters {:?}",
        product.cell(
            "select string_agg(message_id, ',' order by message_id) from dead_letters
             where replayed_at is null"
        )
    ));
    lines
}

/// A catalog like the one before, with some events muted, deleted, new, told apart, carrying more.
fn another(random: &mut StdRng) -> Vec<Definition> {
    let mut all = defaults::definitions();
    // Who is in a workspace is learned from some events and never unlearned.
    let free = [
        "core_feature_used",
        "data_imported",
        "login",
        "integration_installed",
        "upgrade_click",
        "pricing_page_view",
        "workspace_downgraded",
    ];
    all.retain(|one| !free.contains(&one.key.as_str()) || random.random_bool(0.85));
    for one in all.iter_mut().filter(|one| free.contains(&one.key.as_str())) {
        one.is_key = random.random_bool(0.6);
        if random.random_bool(0.2) {
            one.conditions = vec![Condition {
                path: ["feature", "nowhere"].choose(random).unwrap().to_string(),
                op: *[Op::IsSet, Op::IsNotSet].choose(random).unwrap(),
                value: String::new(),
            }];
        }
        if random.random_bool(0.2) {
            one.muted_at = Some(DateTime::UNIX_EPOCH);
            one.milestone = None;
        }
        one.value_property = random.random_bool(0.5).then(|| "records".to_owned());
        one.feature_property = ["feature", "integration"]
            .choose(random)
            .filter(|_| random.random_bool(0.6))
            .map(|&name| name.to_owned());
    }
    let mut shipped = change::proposed("Change Shipped");
    shipped.is_key = random.random_bool(0.5);
    if random.random_bool(0.6) {
        all.push(shipped);
    }
    let mut apart = change::proposed("slack_in_use");
    apart.names = vec!["Core Feature Used".to_owned(), "Login".to_owned(), "Pricing".to_owned()];
    apart.conditions = vec![Condition {
        path: ["integration", "records", "groupId"].choose(random).unwrap().to_string(),
        op: *[Op::IsSet, Op::IsNotSet, Op::Ne].choose(random).unwrap(),
        value: "slack".to_owned(),
    }];
    if random.random_bool(0.6) {
        all.push(apart);
    }
    all.shuffle(random);
    all
}

#[test]
fn any_catalogs_any_split_and_any_rebuild_end_as_the_last_catalog_from_the_start() {
    let story = story();
    for seed in 0..10 {
        let mut random = StdRng::seed_from_u64(seed);
        let catalogs: Vec<Vec<Definition>> = (0..3).map(|_| another(&mut random)).collect();
        let fresh = Product::new();
        publish(&fresh, catalogs.last().unwrap());
        fresh.send(&story);
        let product = Product::new();
        let mut calls = story.clone();
        calls.extend(story.iter().filter(|_| random.random_bool(0.2)).cloned().collect::<Vec<_>>());
        calls.shuffle(&mut random);
        let mut rest = calls.as_slice();
        let mut coming = catalogs.iter();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(random.random_range(1..=rest.len().min(9)));
            product.journal(batch);
            if random.random_bool(0.6) {
                let limits = Limits { rows: random.random_range(1..5), events: 20 };
                drain::step(&product.db, &product.clock, &PROJECTIONS, limits).unwrap();
            }
            if random.random_bool(0.15)
                && let Some(next) = coming.next()
            {
                publish(&product, next);
            }
            if random.random_bool(0.15) {
                killed(&product);
            }
            if random.random_bool(0.2) {
                step(&product, random.random_range(1..40));
            }
            if random.random_bool(0.2) {
                merge(&product, random.random_range(2..30));
            }
            rest = after;
        }
        publish(&product, catalogs.last().unwrap());
        killed(&product);
        step(&product, 1);
        product.drain();
        rebuild_all(&product);
        assert_eq!(rebuild_all(&product), Step::default());
        let (got, expected) = (counted(&product), counted(&fresh));
        let missing: Vec<&String> = expected.iter().filter(|line| !got.contains(line)).collect();
        let surplus: Vec<&String> = got.iter().filter(|line| !expected.contains(line)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "seed {seed}\nmissing {missing:#?}\nsurplus {surplus:#?}"
        );
    }
}

/// An entry that claims only some of what goes by its own name.
fn enterprise_only() -> Vec<Definition> {
    let mut all = defaults::definitions();
    let click = all.iter_mut().find(|one| one.key == "upgrade_click").unwrap();
    click.conditions =
        vec![Condition { path: "plan".into(), op: Op::Eq, value: "enterprise".into() }];
    all.iter_mut().find(|one| one.key == "login").unwrap().muted_at = Some(DateTime::UNIX_EPOCH);
    all
}

fn told_apart() -> Vec<Value> {
    let calls = [
        ("Upgrade Click", "free"),
        ("upgrade.click", "enterprise"),
        ("Upgrade Click", "enterprise"),
        ("login!", "free"),
        ("Login", "free"),
        ("Ping", "free"),
    ];
    let call = |(n, (name, plan)): (usize, (&str, &str))| {
        let said =
            json!({"userId": "u1", "context": {"groupId": "w"}, "properties": {"plan": plan}});
        track(&format!("m{n}"), name, "2026-11-19T08:00:00Z", said)
    };
    calls.into_iter().enumerate().map(call).collect()
}

const DAYS: &str =
    "select string_agg(event_key || ' ' || events, ',' order by event_key) from usage_days";

#[test]
fn what_no_entry_claims_counts_under_the_key_of_none() {
    let product = Product::new();
    publish(&product, &enterprise_only());
    product.send(&told_apart());
    let days = "login_undefined 1,ping 1,upgrade_click 1,upgrade_click_undefined 2";
    assert_eq!(product.cell(DAYS).as_deref(), Some(days));
    assert_eq!(product.count("key_events"), 1);
}

#[test]
fn what_was_counted_by_the_first_rule_is_counted_again_by_todays() {
    let product = Product::new();
    publish(&product, &enterprise_only());
    product.execute("update catalog_versions set undefined_apart = false");
    product.send(&told_apart());
    let first = "login 1,ping 1,upgrade_click 3";
    assert_eq!(product.cell(DAYS).as_deref(), Some(first), "as the first versions did");
    let now = product.clock.now();
    let seed = || product.db.tx(Pool::Work, |conn| ops::seed(conn, now)).unwrap();
    seed();
    let versions = product.count("catalog_versions");
    seed();
    assert_eq!((product.count("catalog_versions"), versions), (3, 3), "once");
    assert_eq!(rebuild_all(&product), Step { chunks: 1, events: 6, changed: 3 });
    let fresh = Product::new();
    publish(&fresh, &enterprise_only());
    fresh.send(&told_apart());
    assert_eq!(counted(&product), counted(&fresh));
}

#[test]
fn a_trial_that_is_known_as_one_later_is_a_subscription_as_well() {
    let began = json!({"userId": "u1", "context": {"groupId": "w"},
        "properties": {"trial_ends_at": "2026-12-01T00:00:00Z"}});
    let calls = [track("m1", "Trial Began", "2026-11-19T08:00:00Z", began)];
    let mut all = defaults::definitions();
    let trial = all.iter_mut().find(|one| one.key == "trial_started").unwrap();
    trial.names.push("Trial Began".to_owned());
    let (product, fresh) = (Product::new(), Product::new());
    publish(&fresh, &all);
    fresh.send(&calls);
    assert_eq!(fresh.count("subscriptions"), 1);
    product.send(&calls);
    assert_eq!(product.count("subscriptions"), 0);
    publish(&product, &all);
    rebuild_all(&product);
    assert_eq!(counted(&product), counted(&fresh));
}

fn clicks(range: std::ops::Range<usize>) -> Vec<Value> {
    let click = |n| {
        let who = json!({"userId": "u1", "context": {"groupId": "w"}});
        track(&format!("m{n}"), "Ping", "2026-11-19T08:00:00Z", who)
    };
    range.map(click).collect()
}

#[test]
fn a_hundred_an_hour_are_a_loop_key_event_or_not_and_none_when_they_are_muted() {
    let product = Product::new();
    product.send(&clicks(0..120));
    let loops = || product.loops("w").into_values().sum::<i64>();
    assert_eq!((loops(), product.count("key_events")), (1, 0));
    let mut all = defaults::definitions();
    all.push(change::proposed("Ping"));
    publish(&product, &all);
    product.execute("delete from touched_workspaces");
    assert_eq!(rebuild_all(&product), Step { chunks: 1, events: 120, changed: 120 });
    assert_eq!((loops(), product.count("key_events")), (1, 120));
    let since = product.cell("select min(since_on) from touched_workspaces");
    assert_eq!(since.as_deref(), Some("2026-11-19"), "its score follows, from that day on");
    all.last_mut().unwrap().muted_at = Some(DateTime::UNIX_EPOCH);
    publish(&product, &all);
    rebuild_all(&product);
    assert_eq!(product.count("usage_days") + product.count("key_events"), 0);
    assert_eq!(loops(), 0);
    let active = product.cell("select max(last_active_at) from memberships");
    assert_eq!(active, None, "nobody was active who did nothing that counts");
}

#[test]
fn small_notes_of_a_day_that_is_over_become_one() {
    let product = Product::new();
    // Before anything is stored, as a server starts: there is nothing that older rules made.
    product.db.tx(Pool::Work, |conn| ripen::jobs::furnish(conn, product.clock.now())).unwrap();
    for part in 0..40 {
        product.send(&clicks(part..part + 2));
    }
    let mut all = defaults::definitions();
    all.push(change::proposed("Ping"));
    publish(&product, &all);
    product.send(&clicks(100..101));
    let tidy = || {
        let now = product.clock.now();
        let start =
            |conn: &mut PgConnection| queue::store::enqueue(conn, "tidy", &json!({}), None, now);
        product.db.tx(Pool::Work, start).unwrap();
        let stop = AtomicBool::new(false);
        assert_eq!(engine::drain(&product.db, &product.clock, &HANDLERS, &stop).unwrap(), 1);
        let failed =
            product.cell("select string_agg(last_error, ',') from jobs where finished_at is null");
        assert_eq!(failed, None);
    };
    tidy();
    assert_eq!(product.count("journal_chunks"), 41, "the day is not over");
    product.clock.advance(TimeDelta::days(1));
    tidy();
    assert_eq!(product.count("journal_chunks"), 2, "one for each version of the catalog");
    let rows = "select string_agg(cardinality(journal_ids) || '/' || cardinality(left_ids), ',' order by id)
                from journal_chunks";
    assert_eq!(product.cell(rows).as_deref(), Some("40/39,1/0"));
    // What was sent twice is still left out, and counted again once.
    assert_eq!(rebuild_all(&product), Step { chunks: 1, events: 41, changed: 41 });
    assert_eq!(product.count("key_events"), 42);
    product.clock.advance(TimeDelta::days(90));
    tidy();
    assert_eq!(product.count("journal_chunks"), 0, "a note goes with its day");
}

#[test]
fn days_that_the_journal_forgot_keep_what_they_have() {
    let product = Product::new();
    product.send(&clicks(0..3));
    product.execute("delete from journal");
    product.send(&clicks(3..5));
    let mut all = defaults::definitions();
    all.push(change::proposed("Ping"));
    all.last_mut().unwrap().key = "pinged".to_owned();
    publish(&product, &all);
    rebuild_all(&product);
    let days =
        "select string_agg(event_key || ' ' || events, ',' order by event_key) from usage_days";
    assert_eq!(product.cell(days).as_deref(), Some("ping 3,pinged 2"));
}

#[test]
fn the_job_tells_how_far_it_is_and_can_be_ended_and_go_on() {
    let product = Product::new();
    for part in 0..4 {
        product.send(&clicks(part * 10..part * 10 + 10));
    }
    let mut all = defaults::definitions();
    all.push(change::proposed("Ping"));
    publish(&product, &all);
    let now = product.clock.now();
    let enqueue = || {
        let nothing = json!({});
        let start = |conn: &mut PgConnection| {
            queue::store::enqueue(conn, REBUILD, &nothing, Some("catalog"), now)
        };
        product.db.tx(Pool::Work, start).unwrap()
    };
    let job = enqueue();
    assert_eq!(enqueue(), job, "one at a time");
    let ended =
        product.db.tx(Pool::Work, |conn| queue::store::cancel(conn, job, REBUILD, now)).unwrap();
    assert!(ended);
    let stop = AtomicBool::new(false);
    assert_eq!(engine::drain(&product.db, &product.clock, &HANDLERS, &stop).unwrap(), 0);
    assert_eq!(product.count("key_events"), 0);
    let job = enqueue();
    assert_eq!(engine::drain(&product.db, &product.clock, &HANDLERS, &stop).unwrap(), 1);
    let progress = product.db.read(Pool::Work, |conn| queue::store::progress(conn, job)).unwrap();
    assert_eq!((progress.done, progress.total), (4, Some(4)));
    assert!(progress.finished_at.is_some() && progress.cancelled_at.is_none());
    assert_eq!(product.count("key_events"), 40);
}
