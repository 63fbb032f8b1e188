//! How fast the drainer is; prints, fails on nothing.

use serde_json::{Value, json};

use super::support::{Product, track};

#[test]
#[ignore = "prints a figure: cargo test --release --test app -- --ignored --nocapture drain::speed"]
fn events_a_second() {
    let product = Product::new();
    let total = 100_000_usize;
    for part in 0..total / 100 {
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
    let start = std::time::Instant::now();
    product.drain();
    let took = start.elapsed();
    println!("{total} events in {took:?}: {:.0} events/s", total as f64 / took.as_secs_f64());
}
