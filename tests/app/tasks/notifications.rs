//! What a member was told, over HTTP: one's own, read or not.

use ripen::db::Pool;
use ripen::ids::MemberId;
use ripen::tasks::store_notifications::{forget, notify, of_member};
use ripen::team::member::Role;

use crate::house::House;
use crate::leads::friday;

/// Two notifications of one member's, the older first.
fn told(house: &House, member: MemberId) {
    house.tx(|conn| {
        for (minute, title) in ["Call <Acme>", "Web is silent"].into_iter().enumerate() {
            let at = friday() + chrono::TimeDelta::minutes(minute.try_into().unwrap());
            notify(conn, member, "pql_assigned", title, "/workspaces", at)?;
        }
        Ok(())
    });
}

#[actix_web::test]
async fn everybody_sees_their_own_and_nobody_elses() {
    let house = House::open().await;
    for role in [Role::Rep, Role::Manager, Role::Revops, Role::Admin] {
        let one = house.member(&format!("One {role}"), role);
        let other = house.member(&format!("Other {role}"), role);
        told(&house, one);
        let (own, others) = (house.signed_in(one), house.signed_in(other));
        let page = own.get("/notifications").await;
        page.says(200, "Call &#60;Acme&#62;");
        page.says(200, "<span class=\"nav__count\" id=\"count-Notifications\">2</span>");
        others.get("/notifications").await.says(200, "Everything is read");
        others.get("/notifications?show=all").await.says(200, "Nothing yet");

        let id =
            house.db.read(Pool::Web, |conn| of_member(conn, one, true, None, 1)).unwrap()[0].id;
        let reading = format!("/notifications/{id}/reading");
        assert_eq!(others.post(&reading, &[]).await.status, 404, "{role}");
        own.post(&reading, &[]).await.leads_to("/notifications");
        let page = own.get("/notifications").await;
        assert!(!page.body.contains("Web is silent") && page.body.contains("Acme"), "{role}");
        own.get("/notifications?show=all").await.says(200, "Web is silent");
        // Read before, it stays as it was.
        own.post(&reading, &[]).await.leads_to("/notifications");
    }
}

#[actix_web::test]
async fn all_of_a_page_are_read_but_not_what_came_after_it() {
    let house = House::open().await;
    let member = house.member("One", Role::Rep);
    told(&house, member);
    let own = house.signed_in(member);
    let until = friday().to_rfc3339();
    own.post("/notifications/readings", &[("until", &until)]).await.leads_to("/notifications");
    let page = own.get("/notifications").await;
    assert!(page.body.contains("Web is silent") && !page.body.contains("Acme"));
    own.post("/notifications/readings", &[("until", "now")]).await.says(422, "Reload the page");
    own.get("/notifications").await.says(200, "Web is silent");
}

#[actix_web::test]
async fn many_are_paged_and_old_ones_that_were_read_are_forgotten() {
    let house = House::open().await;
    let member = house.member("One", Role::Rep);
    house.tx(|conn| {
        for number in 0..60 {
            let at = friday() + chrono::TimeDelta::seconds(number / 3);
            notify(conn, member, "pql_assigned", &format!("Call number {number}."), "/inbox", at)?;
        }
        Ok(())
    });
    let own = house.signed_in(member);
    let page = own.get("/notifications").await;
    let next = page.body.split("id=\"more-notifications\"").nth(1).unwrap();
    let next = next.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let rest = own.get(&next).await;
    for number in 0..60 {
        let text = format!("Call number {number}.");
        assert!(page.body.contains(&text) != rest.body.contains(&text), "{text} on one of the two");
    }
    let until = (friday() + chrono::TimeDelta::hours(1)).to_rfc3339();
    own.post("/notifications/readings", &[("until", &until)]).await;
    let read_at = house.clock.now();
    house.tx(|conn| forget(conn, read_at));
    own.get("/notifications?show=all").await.says(200, "Older ones");
    house.tx(|conn| forget(conn, read_at + chrono::TimeDelta::seconds(1)));
    own.get("/notifications?show=all").await.says(200, "Nothing yet");
}
