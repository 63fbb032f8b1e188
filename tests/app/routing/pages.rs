//! The rules and the log of decisions over HTTP.

use ripen::error::Result;
use ripen::routing::ops::route_workspaces;
use ripen::team::member::Function;

use crate::house::House;
use crate::leads::{friday, hot, seed, seller};

#[actix_web::test]
async fn rules_read_as_sentences() {
    let house = House::open().await;
    let rep = house.as_rep();
    rep.get("/routing").await.says(200, "Score is at least 80");
    house.tx(seed);
    rep.get("/routing").await.says(200, "Rule set 1.");
    rep.get("/routing").await.says(200, "first touch within 4 business hours");
    rep.get("/routing/log").await.says(200, "No decisions yet");
}

#[actix_web::test]
async fn the_log_says_why_this_rep_and_why_not_me() {
    let house = House::open().await;
    let (ann, ben) = house.tx(|conn| {
        seed(conn)?;
        let ann = seller(conn, "Ann", Function::Sdr)?;
        let ben = seller(conn, "Ben", Function::Ae)?;
        let id = hot(conn, "Acme <b>")?;
        route_workspaces(conn, &[id], friday())?;
        Ok((ann, ben))
    });
    let page = house.signed_in(ben).get("/routing/log").await;
    page.says(200, "Acme &#60;b&#62;");
    page.says(200, "Not you: is AE, this needs SDR.");
    page.says(200, "needs Paid status is paid, but Paid status is trial");
    house.signed_in(ann).get("/routing/log").await.says(200, "It went to you.");
}

#[actix_web::test]
async fn a_long_log_has_pages() {
    let house = House::open().await;
    house.tx(|conn| {
        seed(conn)?;
        let ids: Vec<_> = (0..60).map(|at| hot(conn, &format!("w{at}"))).collect::<Result<_>>()?;
        route_workspaces(conn, &ids, friday())
    });
    let rep = house.as_rep();
    let first = rep.get("/routing/log").await;
    first.says(200, "Next page");
    let (_, rest) = first.body.split_once("/routing/log?after=").unwrap();
    let next = format!("/routing/log?after={}", &rest[..36]);
    let second = rep.get(&next).await;
    assert_eq!(second.body.matches("<li id=\"d-").count(), 10);
    rep.get("/routing/log?after=nonsense").await.says(200, "Next page");
}
