//! Bodies are read as far as it is known whose they are.

use actix_web::http::Method;
use ripen::team::member::Role;

use crate::house::House;

const KB: usize = 1024;

fn form(bytes: usize, csrf: &str) -> String {
    format!("csrf_token={csrf}&name={}", "x".repeat(bytes))
}

#[actix_web::test]
async fn a_stranger_may_send_64_kilobytes_and_no_more() {
    let house = House::open().await;
    let stranger = house.stranger();
    stranger.get("/login").await;
    let small = form(60 * KB, &stranger.csrf());
    let taken = stranger.send(Method::POST, "/login", &[], Some(small)).await;
    taken.says(422, "do not belong together");
    for path in ["/login", "/setup/x", "/invite/x", "/settings/team/invites", "/nothing/here"] {
        for bytes in [65 * KB, 900 * KB] {
            let large = form(bytes, &stranger.csrf());
            let answer = stranger.send(Method::POST, path, &[], Some(large)).await;
            answer.says(422, "64 KB");
        }
    }
    // A cookie alone is no session.
    let pretender = house.stranger();
    pretender.get("/login").await;
    assert!(pretender.session_token().is_some());
    let large = form(900 * KB, &pretender.csrf());
    pretender.send(Method::POST, "/me", &[], Some(large)).await.says(422, "64 KB");
}

#[actix_web::test]
async fn whoever_is_signed_in_may_send_a_megabyte() {
    let house = House::open().await;
    let admin = house.as_admin();
    let large = form(900 * KB, &admin.csrf());
    admin.send(Method::POST, "/me", &[], Some(large)).await.says(422, "Shorten your name");
    let larger = form(1024 * KB, &admin.csrf());
    admin.send(Method::POST, "/me", &[], Some(larger)).await.says(422, "larger than 1 MB");
}

#[actix_web::test]
async fn the_api_reads_no_body_without_a_key() {
    let house = House::open().await;
    let body = format!("{{\"draft\":\"{}\"}}", "x".repeat(2 * 1024 * KB)).into_bytes();
    let stranger = house.stranger();
    let answer =
        stranger.send_as(Method::PUT, "/api/v1/scoring/model", "application/json", body).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
}

#[actix_web::test]
async fn an_upload_has_the_parts_of_its_form_and_no_others() {
    let house = House::open().await;
    let admin = house.signed_in(house.member("Ada", Role::Admin));
    let part = |name: &str, value: &str| {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let send = async |parts: &[String]| {
        let body = format!("{}--cut--\r\n", parts.concat()).into_bytes();
        let kind = "multipart/form-data; boundary=cut";
        admin.send_as(Method::POST, "/imports", kind, body).await
    };
    let token = part("csrf_token", &admin.csrf());
    let unasked = part("more", &"x".repeat(100 * KB));
    send(&[token.clone(), unasked]).await.says(422, "should not have");
    let many: Vec<String> =
        std::iter::once(token).chain((0..100).map(|_| part("kind", "users"))).collect();
    send(&many).await.says(422, "should not have");
}
