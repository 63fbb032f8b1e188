//! How fast the drainer is; prints, fails on nothing.

use serde_json::{Value, json};

use ripen::catalog::change::Change;
use ripen::catalog::{defaults, ops};
use ripen::db::Pool;
use ripen::team::audit::Actor;
use ripen::usage::rebuild;

use super::support::{Product, track};

const TOTAL: usize = 100_000;

fn journaled() -> Product {
    let product = Product::new();
    for part in 0..TOTAL / 100 {
        let batch: Vec<Value> = (part * 100..part * 100 + 100)
            .map(|n| {
                let (user, workspace) = (n * 7919 % 20_000, n * 7919 % 2_000);
                let name = ["core_feature_used", "login", "Page Rendered", "Row Saved"][n % 4];
                let at = format!("2026-11-{:02}T08:00:00Z", 1 + n % 19);
                track(&format!("m{n}"), name, &at, json!({
                    "userId": format!("u{user}"), "context": {"groupId": format!("w{workspace}")},
                    "properties": {"feature": format!("f{}", n % 9), "path": "/some/where", "count": n}}))
            })
            .collect();
        product.journal(&batch);
    }
    product
}

#[test]
#[ignore = "prints a figure: cargo test --release --test app -- --ignored --nocapture drain::speed"]
fn events_a_second() {
    let product = journaled();
    let start = std::time::Instant::now();
    product.drain();
    let took = start.elapsed();
    println!("{TOTAL} events in {took:?}: {:.0} events/s", TOTAL as f64 / took.as_secs_f64());
}

/// Counting again beside draining the same events, when a quarter of them changes, and when all do.
#[test]
#[ignore = "prints a ratio: cargo test --release --test app -- --ignored --nocapture drain::speed"]
fn counting_again_beside_draining() {
    for (what, keys) in [
        ("nothing", &[][..]),
        ("a quarter", &["login"][..]),
        ("half", &["login", "core_feature_used"][..]),
    ] {
        let product = journaled();
        let start = std::time::Instant::now();
        product.drain();
        let drained = start.elapsed();
        let mut all = defaults::definitions();
        // For a change that concerns none of these events.
        all.iter_mut().filter(|one| one.key == "upgrade_click").for_each(|one| one.label.push('!'));
        for one in all.iter_mut().filter(|one| keys.contains(&one.key.as_str())) {
            one.value_property = Some("count".to_owned());
        }
        let (all, now) = (Change::Whole(all), product.clock.now());
        product
            .db
            .tx(Pool::Work, |conn| ops::save(conn, &Actor::system(), 1, &all, "a test", now))
            .unwrap();
        let start = std::time::Instant::now();
        let (mut events, mut changed) = (0, 0);
        loop {
            let done = product.db.tx(Pool::Work, |conn| rebuild::step(conn, now, 10_000)).unwrap();
            if done.chunks == 0 {
                break;
            }
            (events, changed) = (events + done.events, changed + done.changed);
        }
        let took = start.elapsed();
        println!(
            "{what} changes ({changed} of {events}): {:.0} events/s, {:.2} of the speed of draining ({:.0} events/s)",
            events as f64 / took.as_secs_f64(),
            drained.as_secs_f64() / took.as_secs_f64(),
            TOTAL as f64 / drained.as_secs_f64(),
        );
    }
}
