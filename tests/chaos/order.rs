//! The same events in any order, batching and duplication give byte-equal projections and scores.
//!
//! Between the batches the drainer runs or not, and the scorer runs or not: what they saw of half the
//! story must leave no trace. Compared is everything in [`PROJECTED`] and [`SCORED`].

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use ripen::db::Pool;
use ripen::{jobs, scoring};
use serde_json::Value;

use crate::dump::{PROJECTED, SCORED, difference, dump};
use crate::product::Product;
use crate::schedule::{Seed, rounds};
use crate::story::story;

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

/// The story shuffled, a fifth of it told twice, in batches.
fn tell_shuffled(story: &[Value], random: &mut StdRng) -> Product {
    let product = furnished();
    let mut shuffled: Vec<Value> = story.to_vec();
    let twice = story.iter().filter(|_| random.random_bool(0.2));
    shuffled.extend(twice.cloned().collect::<Vec<_>>());
    shuffled.shuffle(random);
    let largest = [4, 16, shuffled.len()][random.random_range(0..3)];
    let mut rest = shuffled.as_slice();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(random.random_range(1..=rest.len().min(largest)));
        product.journal(batch);
        if random.random_bool(0.5) {
            product.drain();
            if random.random_bool(0.3) {
                score(&product);
            }
        }
        rest = after;
    }
    product
}

#[test]
fn any_order_batching_and_duplication_ends_the_same() {
    let seed = Seed::new();
    let story = story();
    let reference = furnished();
    reference.journal(&story);
    let expected = told(&reference);
    assert!(expected.len() > 300, "{}", expected.len());
    let (next, all) = (AtomicUsize::new(0), rounds(10, 200));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let round = next.fetch_add(1, Ordering::SeqCst);
                    if round >= all {
                        return;
                    }
                    let product = tell_shuffled(&story, &mut seed.random(round as u64));
                    let differs = difference(&expected, &told(&product));
                    assert!(
                        differs.is_empty(),
                        "RIPEN_SEED={} permutation {round}:\n{differs}",
                        seed.0
                    );
                }
            });
        }
    });
}
