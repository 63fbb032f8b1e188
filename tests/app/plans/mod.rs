//! `/settings/plans`: who sees it, what a name means, what a change of the lists does.

use std::sync::atomic::AtomicBool;

use diesel::prelude::*;
use ripen::ids::WorkspaceId;
use ripen::jobs::HANDLERS;
use ripen::plans;
use ripen::queue::engine;
use ripen::schema::{audit_entries, jobs, workspaces};
use ripen::scoring::worker;
use ripen::team::member::Role;
use serde_json::json;

use crate::drain::support::{Product, call};
use crate::house::House;
use crate::scored;

const PATH: &str = "/settings/plans";

/// A form with the default lists, `pro` besides.
fn form(version: &str, pro: &str) -> Vec<(&'static str, String)> {
    let list = plans::plan::PlanList::default();
    vec![
        ("version", version.to_owned()),
        ("not_paid", list.not_paid.join("\n")),
        ("trial", list.trial.join("\n")),
        ("free", list.free.join("\n")),
        ("enterprise", list.enterprise.join("\n")),
        ("pro", format!("{}\n{pro}", list.pro.join("\n"))),
        ("do", "save".to_owned()),
    ]
}

async fn post(house: &House, fields: &[(&'static str, String)]) -> crate::house::Answer {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    house.as_admin().post(PATH, &fields).await
}

#[actix_web::test]
async fn revops_and_admins_edit_it_and_for_others_it_is_not_there() {
    let house = House::open().await;
    for (role, client) in house.one_of_each() {
        let page = client.get(PATH).await;
        let sees = [Role::Revops, Role::Admin].contains(&role);
        assert_eq!(page.status, if sees { 200 } else { 404 }, "{role}");
        assert_eq!(page.body.contains("plans-form"), sees, "{role}");
    }
    assert_eq!(house.as_admin().post_without_token(PATH, &[]).await.status, 403);
    house.as_admin().get("/inbox").await.says(200, "href=\"/settings/plans\"");
}

#[actix_web::test]
async fn a_name_is_tried_before_anything_is_saved() {
    let house = House::open().await;
    let admin = house.as_admin();
    for (name, tier) in
        [("Enterprise%20Trial", "trial"), ("basic", "unknown"), ("non-paid", "free")]
    {
        let page = admin.get(&format!("{PATH}?name={name}")).await;
        page.says(200, &format!("is <strong>{tier}</strong>"));
    }
    admin.get(PATH).await.says(200, "the words that Ripen comes with");
}

#[actix_web::test]
async fn a_change_is_recorded_and_reads_every_plan_again() {
    let house = scored::house().await;
    let id = WorkspaceId::of("ws-basic");
    let now = house.clock.now();
    house.tx(|conn| ripen::routing::ops::ensure_defaults(conn, now));
    house.tx(|conn| {
        let traits = json!({"plan": "Basic"});
        let at: chrono::DateTime<chrono::Utc> = "2026-11-10T00:00:00Z".parse().unwrap();
        let times = json!({"plan": at.timestamp_micros()});
        diesel::sql_query(
            "insert into workspaces (id, external_id, name, plan_tier, traits, trait_times, created_at, first_seen_at)
             values ($1, 'ws-basic', 'Basic', 'unknown', $2, $3, '2026-11-10Z', '2026-11-10Z')",
        )
        .bind::<diesel::sql_types::Uuid, _>(id)
        .bind::<diesel::sql_types::Jsonb, _>(traits)
        .bind::<diesel::sql_types::Jsonb, _>(times)
        .execute(conn)?;
        Ok(())
    });
    let tier = || -> Option<String> {
        house.tx(|conn| Ok(workspaces::table.find(id).select(workspaces::plan_tier).first(conn)?))
    };
    let version = house.tx(plans::store::load).version.to_string();
    post(&house, &form(&version, "basic")).await.leads_to(PATH);
    let stale = post(&house, &form(&version, "starter plus")).await;
    stale.says(409, "Somebody else changed the plans");
    let waiting: i64 = house.tx(|conn| {
        Ok(jobs::table.filter(jobs::kind.eq(plans::ops::APPLY)).count().get_result(conn)?)
    });
    assert_eq!(waiting, 1);
    house.as_admin().get(PATH).await.says(200, "being read again");
    engine::drain(&house.db, &house.clock, &HANDLERS, &AtomicBool::new(false)).unwrap();
    worker::drain(&house.db, &house.clock, ripen::jobs::after_scoring).unwrap();
    assert_eq!(tier().as_deref(), Some("pro"));
    assert!(!house.as_admin().get(PATH).await.body.contains("being read again"));
    let status: Option<String> = house.tx(|conn| {
        use ripen::schema::workspace_scores as s;
        Ok(s::table.find(id).select(s::paid_status).first(conn)?)
    });
    assert_eq!(status.as_deref(), Some("paid"), "its subscription follows from the name");
    let detail: serde_json::Value = house.tx(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("plans.changed"))
            .select(audit_entries::detail)
            .get_result(conn)?)
    });
    assert_eq!(detail["after"]["pro"].as_array().unwrap().last(), Some(&json!("basic")));
    let kept = house.tx(plans::store::load);
    assert!(!kept.is_default && kept.applied_version == kept.version);
    let reset = [("version", kept.version.to_string()), ("do", "reset".to_owned())];
    post(&house, &reset).await.leads_to(PATH);
    engine::drain(&house.db, &house.clock, &HANDLERS, &AtomicBool::new(false)).unwrap();
    assert_eq!(tier().as_deref(), Some("unknown"));
}

#[actix_web::test]
async fn a_word_in_two_lists_is_refused_at_its_field() {
    let house = House::open().await;
    let version = house.tx(plans::store::load).version.to_string();
    let page = post(&house, &form(&version, "free")).await;
    page.says(422, "also in the list Free");
    assert!(house.tx(plans::store::load).is_default);
}

#[test]
fn plans_of_traits_become_tiers_and_subscriptions() {
    for (plan, tier, status) in [
        ("Enterprise Trial", Some("trial"), Some("trialing")),
        ("Unpaid", Some("free"), None),
        ("non-paid", Some("free"), None),
        ("cancelled pro", Some("free"), Some("canceled")),
        ("Nonprofit", Some("unknown"), None),
        ("Industrial", Some("unknown"), None),
        ("basic", Some("unknown"), None),
        ("Pro", Some("pro"), Some("active")),
    ] {
        let product = Product::new();
        product.send(&[call(
            "group",
            "g1",
            "2026-11-19T08:00:00Z",
            json!({"userId": "u", "groupId": "w", "traits": {"plan": plan}}),
        )]);
        assert_eq!(product.cell("select plan_tier from workspaces").as_deref(), tier, "{plan}");
        assert_eq!(product.cell("select status from subscriptions").as_deref(), status, "{plan}");
    }
}
