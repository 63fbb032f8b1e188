//! Addresses, domains and names of fields in records: as in events.

use serde_json::{Value, json};

use super::ask::{Warehouse, cell, statuses};
use crate::house::House;

#[actix_web::test]
async fn addresses_and_domains_are_repaired_or_refused() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let emails = [
        ("mailto:dana@acme.com", Some("dana@acme.com")),
        ("\"Dana\" <dana@acme.com>", Some("dana@acme.com")),
        ("ann@gmail.com;", Some("ann@gmail.com")),
        ("ann@gmail.com)", Some("ann@gmail.com")),
        ("ann@acme.com,bob@acme.com", None),
        ("ann@acme_labs.com", None),
        ("ann@10.0.0.1", None),
    ];
    for (at, (email, kept)) in emails.into_iter().enumerate() {
        let record = json!([{"user_id": format!("u{at}"), "email": email}]).to_string();
        let answer = warehouse.send("users", &record).await;
        let status = if kept.is_some() { "created" } else { "rejected" };
        assert_eq!(statuses(&answer), [status], "{email}");
        if let Some(kept) = kept {
            let query = format!("select email from product_users where external_id = 'u{at}'");
            assert_eq!(cell(&house, &query), kept, "{email}");
        } else {
            let message = answer["results"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains("is no e-mail address"), "{message}");
        }
    }
    let domains = [
        ("acme.com", true),
        ("https://www.Beta.example/x", true),
        ("mailto:dana@gamma.example", true),
        ("müller.de", true),
        ("github.com", true),
        ("acme.okta.com", true),
        ("acme.example,acme2.example", false),
        ("https://www.linkedin.com/company/acme", false),
        ("gmail.con", false),
        ("corp.local", false),
        ("onmicrosoft.com", false),
        ("10.0.0.1", false),
    ];
    for (domain, is_taken) in domains {
        let answer = warehouse.send("accounts", &json!([{"domain": domain}]).to_string()).await;
        let refused: Vec<&str> =
            statuses(&answer).into_iter().filter(|one| *one == "rejected").collect();
        assert_eq!(refused.is_empty(), is_taken, "{domain}: {answer}");
    }
    assert_eq!(
        cell(
            &house,
            "select string_agg(primary_domain, ' ' order by primary_domain) from accounts"
        ),
        "acme.com acme.okta.com beta.example gamma.example github.com xn--mller-kva.de"
    );
}

#[actix_web::test]
async fn names_of_own_traits_are_read_as_in_events() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let record = json!([{"userId": "u1", "emailAddress": "x@acme.com"}]).to_string();
    assert_eq!(
        statuses(&warehouse.send("users", &record).await),
        ["rejected"],
        "no field of records"
    );
    let record: Value = json!([{"userID": "u1", "EMAIL": "dana@acme.com", "traits": {"jobTitle": "CTO", "companyName": "ACME Inc."}}]);
    assert_eq!(statuses(&warehouse.send("users", &record.to_string()).await), ["created"]);
    assert_eq!(
        cell(&house, "select email || ' ' || seniority from product_users"),
        "dana@acme.com c_level"
    );
    assert_eq!(cell(&house, "select name from accounts"), "ACME Inc.");
    assert_eq!(statuses(&warehouse.send("users", &record.to_string()).await), ["unchanged"]);
}
