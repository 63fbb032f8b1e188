//! Sums done by hand; the arithmetic stands in the comments.

use super::worlds::{Owned, recipe, user};
use crate::scoring::card::{RowKind, Scorecard};
use crate::scoring::engine::member_scores;
use crate::scoring::lead::Why;

fn row(card: &Scorecard, rule: &str) -> (i64, i64, i64, i64, i64) {
    let row = card.ledger.iter().find(|row| row.rule.as_deref() == Some(rule));
    row.map_or((0, 0, 0, 0, 0), |row| (row.raw, row.capped, row.role, row.decay, row.net))
}

#[test]
fn an_admin_who_hits_limits() {
    let mut world = Owned::new();
    world.member(1, "admin");
    // 10 a hit, no cap, factor 1.3, e^(-age/7):
    // today 2 hits: 20 * 1.3 = 26; 7 days ago 1 hit: 10 * 1.3 * e^-1 = 13 * 0.367879 = 4.782432.
    // raw 30, role 30 * 0.3 = 9, net 30.782432 -> 30.78, decay 30.78 - 39 = -8.22.
    world.did(1, "usage_limit_hit", 0, 2);
    world.did(1, "usage_limit_hit", 7, 1);
    let card = world.score(&recipe());
    assert_eq!(row(&card, "usage_limit_hit"), (3000, 0, 900, -822, 3078));
    // Intent holds 20, so 10.78 are lost; nothing else scores. The founder is no new active user.
    assert_eq!(card.category("intent"), 2000);
    let clamp = card.ledger.iter().find(|row| row.kind == RowKind::Clamp).unwrap();
    assert_eq!((clamp.category.as_deref(), clamp.net), (Some("intent"), -1078));
    assert_eq!((card.score, card.stage.as_str(), card.flags.len()), (2000, "not_pql", 0));
    assert_eq!(card.lead_user.unwrap().why, Why::Admin);
}

#[test]
fn a_cap_takes_the_newest_days_first() {
    let mut world = Owned::new();
    // IC in a target function with a corporate address: factor 1.
    let member = world.member(1, "member");
    member.department = Some("engineering".into());
    member.email_kind = Some("corporate".into());
    // 2 a day on 7 days running, cap 10 in 7 days: today and the four days before get 2 each, the
    // days 5 and 6 before get nothing. raw 14, capped -4.
    // net = 2 * (1 + e^-(1/14) + e^-(2/14) + e^-(3/14) + e^-(4/14))
    //     = 2 * (1 + 0.931063 + 0.866878 + 0.807118 + 0.751477) = 8.713072 -> 8.71
    for age in 0..7 {
        world.did(1, "core_feature_used", age, 40);
    }
    let card = world.score(&recipe());
    assert_eq!(row(&card, "core_feature_used"), (1400, -400, 0, -129, 871));
    assert_eq!(card.flags, ["no_buyer_coverage"]);
    assert_eq!(card.lead_user.unwrap().why, Why::BestMember);
}

#[test]
fn team_rollups_pool_the_members() {
    let mut world = Owned::new();
    world.member(1, "admin");
    world.member(2, "member");
    world.member(3, "member");
    // The admin founded the workspace 21 days ago; the two others came today, so twice 2 = 4 points.
    // Three invites on the founding day: 3 * 2 * e^-1 = 2.207277 -> 2.21.
    // Two accepted today: 2 * 4 = 8. Expansion 4 + 2.21 + 8 = 14.21.
    world.did(1, "invite_sent", 21, 3);
    world.did(2, "invite_accepted", 0, 1);
    world.did(3, "invite_accepted", 0, 1);
    world.fields.set("icp_fit_tier", "B");
    let card = world.score(&recipe());
    assert_eq!(row(&card, "new_active_user_day").4, 400);
    assert_eq!(row(&card, "invite_sent").4, 221);
    assert_eq!(row(&card, "invite_accepted").4, 800);
    assert_eq!(card.category("expansion"), 1421);
    assert_eq!((card.category("fit"), card.score), (600, 2021));
}

#[test]
fn the_better_of_admin_and_champion_leads_and_the_power_user_does_not() {
    let mut world = Owned::new();
    world.member(1, "admin");
    let champion = world.member(2, "member");
    champion.persona = Some("champion".into());
    champion.seniority = Some("director".into());
    world.member(3, "viewer");
    // The admin clicked upgrade today: 8 * 1.3 = 10.40. The champion hit a limit: 10 * 1.2 = 12.
    // The viewer, 0.6, hit three: 18, and does not lead, since there are buyers.
    world.did(1, "upgrade_click", 0, 1);
    world.did(2, "usage_limit_hit", 0, 1);
    world.did(3, "usage_limit_hit", 0, 3);
    let model = recipe();
    let card = world.score(&model);
    let lead = card.lead_user.clone().unwrap();
    assert_eq!((lead.user_id, lead.why), (user(2), Why::Champion));
    assert_eq!(card.category("intent"), 1200);
    // Members 2 and 3 are new today like the admin, the founder by the lower id: 2 * 2 = 4.
    assert_eq!(card.score, 1600);
    let compiled = world.compile(&model);
    let scores = member_scores(&compiled, &world.world(), super::worlds::today());
    let scores: Vec<_> = scores.iter().map(|one| (one.user_id, one.score, one.leads)).collect();
    assert_eq!(scores, [(user(2), 1200, true), (user(3), 1800, false), (user(1), 1040, false)]);
}

#[test]
fn a_champion_is_suggested_by_invites_and_active_days() {
    let mut world = Owned::new();
    world.member(1, "member");
    world.member(2, "member");
    for age in [0, 3, 6, 9, 13] {
        world.did(1, "login", age, 1);
    }
    world.did(1, "invite_sent", 29, 2);
    world.did(2, "usage_limit_hit", 0, 1);
    assert_eq!(world.score(&recipe()).lead_user.unwrap().why, Why::BestMember);
    world.suggest_champions = true;
    let card = world.score(&recipe());
    let lead = card.lead_user.unwrap();
    assert_eq!((lead.user_id, lead.why), (user(1), Why::SuggestedChampion));
    assert!(card.flags.is_empty());
}

#[test]
fn silence_costs_and_the_score_stops_at_zero() {
    let mut world = Owned::new();
    world.member(1, "admin");
    world.fields.set("active_days_14d", 0);
    world.fields.set("workspace_age_days", 14);
    // -20 for silence and -15 for the downgrade today: -35, lifted to 0 by a row of its own.
    world.did(1, "workspace_downgraded", 0, 1);
    let card = world.score(&recipe());
    assert_eq!((card.category("negative"), card.score), (-3500, 0));
    let last = card.ledger.last().unwrap();
    assert_eq!((last.kind, last.category.as_deref(), last.net), (RowKind::Clamp, None, 3500));
    let fit = card.ledger.iter().find(|row| row.kind == RowKind::Lookup).unwrap();
    assert_eq!(fit.note.as_deref(), Some("ICP fit unknown"));
}

#[test]
fn a_workspace_without_anybody_has_a_card() {
    let card = Owned::new().score(&recipe());
    assert_eq!((card.score, card.lead_user), (0, None));
    assert_eq!(card.flags, ["no_buyer_coverage"]);
}
