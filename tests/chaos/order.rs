//! The same events in any order, batching and duplication give byte-equal projections and scores.
//!
//! Between the batches the drainer runs or not, and the scorer runs or not: what they saw of half the
//! story must leave no trace. Compared is everything in [`PROJECTED`] and [`SCORED`]. What was done
//! about a score ([`ACTED`]) depends on when one looked, and on nothing else: scored at the same two
//! moments of the story, any order within each part makes the same stage changes, decisions,
//! assignments and tasks.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use ripen::db::Pool;
use ripen::team::member::Function;
use ripen::{jobs, scoring};
use serde_json::Value;

use crate::dump::{ACTED, PROJECTED, SCORED, difference, dump};
use crate::leads::seller;
use crate::product::Product;
use crate::schedule::{Seed, rounds};
use crate::story::{ripe, story};

/// A product whose catalog mutes one name.
pub fn furnished() -> Product {
    let product = Product::new();
    product.db.tx(Pool::Work, |conn| jobs::furnish(conn, product.clock.now())).unwrap();
    product.execute("update event_definitions set muted_at = '2026-11-01Z' where key = 'login'");
    product
}

/// Scores what was touched.
pub fn score(product: &Product) {
    scoring::worker::drain(&product.db, &product.clock, jobs::after_scoring).unwrap();
}

fn told(product: &Product) -> Vec<String> {
    product.drain();
    score(product);
    let tables: Vec<(&str, &str)> = PROJECTED.into_iter().chain(SCORED).collect();
    dump(&product.db, &tables)
}

/// The story shuffled, a fifth of it told twice.
fn shuffled(story: &[Value], random: &mut StdRng) -> Vec<Value> {
    let mut shuffled: Vec<Value> = story.to_vec();
    let twice = story.iter().filter(|_| random.random_bool(0.2));
    shuffled.extend(twice.cloned().collect::<Vec<_>>());
    shuffled.shuffle(random);
    shuffled
}

/// Told in batches of any size, drained or not after each; `between` happens after those that were.
fn tell(
    product: &Product,
    story: &[Value],
    random: &mut StdRng,
    mut between: impl FnMut(&mut StdRng),
) {
    let largest = [4, 16, story.len()][random.random_range(0..3)];
    let mut rest = story;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(random.random_range(1..=rest.len().min(largest)));
        product.journal(batch);
        if random.random_bool(0.5) {
            product.drain();
            between(random);
        }
        rest = after;
    }
}

fn tell_shuffled(story: &[Value], random: &mut StdRng) -> Product {
    let product = furnished();
    tell(&product, &shuffled(story, random), random, |random| {
        if random.random_bool(0.3) {
            score(&product);
        }
    });
    product
}

/// The story in two parts, each followed by a score; people who sell are there to be given work.
fn acted(parts: &[Vec<Value>; 2], mut random: Option<StdRng>) -> Vec<String> {
    let product = furnished();
    let sellers = product.db.tx(Pool::Work, |conn| {
        Ok([
            (seller(conn, "Mia", Function::Sdr)?, "Mia"),
            (seller(conn, "Ada", Function::Ae)?, "Ada"),
            (seller(conn, "Cem", Function::Csm)?, "Cem"),
        ])
    });
    for part in parts {
        match &mut random {
            Some(random) => tell(&product, &shuffled(part, random), random, |_| {}),
            None => product.journal(part),
        }
        product.drain();
        score(&product);
        product.clock.advance(chrono::TimeDelta::hours(1));
    }
    let named = |line: String| {
        let sellers = sellers.as_ref().unwrap().iter();
        sellers.fold(line, |line, (id, name)| line.replace(&id.to_string(), name))
    };
    dump(&product.db, &ACTED).into_iter().map(named).collect()
}

/// Runs this many rounds on both processors.
fn in_rounds(all: usize, round: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= all {
                        return;
                    }
                    round(number);
                }
            });
        }
    });
}

#[test]
fn any_order_batching_and_duplication_ends_the_same() {
    let seed = Seed::new();
    let story = story();
    let reference = furnished();
    reference.journal(&story);
    let expected = told(&reference);
    assert!(expected.len() > 300, "{}", expected.len());
    in_rounds(rounds(10, 200), |round| {
        let product = tell_shuffled(&story, &mut seed.random(round as u64));
        let differs = difference(&expected, &told(&product));
        assert!(differs.is_empty(), "RIPEN_SEED={} permutation {round}:\n{differs}", seed.0);
    });
}

#[test]
fn scored_at_the_same_moments_any_order_leads_to_the_same_decisions_and_tasks() {
    let seed = Seed::new();
    let mut first = story();
    let mut second = first.split_off(first.len() / 2);
    second.extend(ripe());
    let parts = [first, second];
    let expected = acted(&parts, None);
    for (table, _) in ACTED {
        assert!(expected.iter().any(|line| line.starts_with(table)), "nothing in {table}");
    }
    in_rounds(rounds(6, 200), |round| {
        let differs = difference(&expected, &acted(&parts, Some(seed.random(round as u64))));
        assert!(differs.is_empty(), "RIPEN_SEED={} permutation {round}:\n{differs}", seed.0);
    });
}
