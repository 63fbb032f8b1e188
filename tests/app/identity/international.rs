//! Domains in other scripts: stored in ASCII, shown and found as people write them.

use serde_json::json;

use super::{call, cell, house, send};

#[actix_web::test]
async fn international_domains_are_shown_and_found_in_their_script() {
    let house = house().await;
    send(
        &house,
        &[
            call(
                "identify",
                "01T08",
                json!({"userId": "u1", "traits": {"email": "dana@müller.de"}}),
            ),
            // A Cyrillic letter among Latin ones.
            call("identify", "01T08", json!({"userId": "u2", "traits": {"email": "eve@аcme.com"}})),
        ],
    );
    let client = house.as_rep();
    let list = client.get("/accounts?q=m%C3%BCller.de").await;
    list.says(200, "Müller");
    list.says(200, "<bdi>müller.de</bdi>");
    assert!(!list.body.contains("<bdi>xn--mller-kva.de"));
    client.get("/accounts").await.says(200, "<bdi>xn--cme-5cd.com</bdi>");
    let id = cell(&house, "select id from accounts where name = 'Müller'").unwrap();
    client.get(&format!("/accounts/{id}")).await.says(200, "<bdi>müller.de</bdi>");
    client.get("/contacts?q=dana%40m%C3%BCller.de").await.says(200, "dana@müller.de");
    let contact = cell(&house, "select id from contacts where email like 'dana%'").unwrap();
    let page = client.get(&format!("/contacts/{contact}")).await;
    page.says(200, ">dana@müller.de</a>");
    page.says(200, "By the domain müller.de.");
}
