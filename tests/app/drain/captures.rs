//! What real SDKs send leaves people, workspaces and usage behind.

use ripen::ingest::endpoint::Endpoint;
use serde_json::Value;

use super::support::Product;

#[test]
fn a_captured_python_sdk_becomes_a_story() {
    let product = Product::new();
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wire/segment-analytics-python-2.json");
    let capture: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for request in capture["requests"].as_array().unwrap() {
        let body = request["body_json"].to_string();
        product.journal_body(Endpoint::Batch, body.as_bytes(), product.clock.now());
    }
    product.drain();
    // The title was set, and unset by a later identify.
    assert_eq!(product.cell("select (job_title is null) || ' ' || domain from product_users where external_id = 'cap-py-segment-u1'").as_deref(), Some("true acme-cap-py-segment.example"));
    assert_eq!(
        product
            .cell("select name from workspaces where external_id = 'cap-py-segment-ws1'")
            .as_deref(),
        Some("Acme Engineering")
    );
    assert_eq!(product.cell("select k.external_id from product_users a join product_users k on k.id = a.canonical_id where a.external_id = 'cap-py-segment-anonA'").as_deref(), Some("cap-py-segment-u1"));
    assert!(product.count("usage_days") > 0);
    assert!(product.count("key_events where event_key = 'user_signed_up'") > 0);
    assert_eq!(product.count("dead_letters where code = 'internal'"), 0);
    let once = product.dump();
    for request in capture["requests"].as_array().unwrap() {
        let body = request["body_json"].to_string();
        product.journal_body(Endpoint::Batch, body.as_bytes(), product.clock.now());
    }
    product.drain();
    assert_eq!(product.dump(), once);
}
