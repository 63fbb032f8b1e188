//! What scoring.md claims for all inputs.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::worlds::{Owned, recipe, today, user};
use crate::scoring::card::{RowKind, Scorecard};
use crate::scoring::engine::{member_scores, score};
use crate::scoring::model::{Cap, Decay, Model, Per, RuleKind};
use crate::usage::day::UsageDay;

const EVENTS: [&str; 12] = [
    "workspace_created",
    "key_action_completed",
    "first_value_delivered",
    "core_feature_used",
    "automation_run",
    "invite_sent",
    "invite_accepted",
    "pricing_page_view",
    "upgrade_click",
    "usage_limit_hit",
    "workspace_downgraded",
    "uninstall_integration",
];

fn decay() -> impl Strategy<Value = Decay> {
    let days = prop_oneof![Just(1.0), Just(7.0), Just(30.0), 0.5f64..90.0];
    prop_oneof![
        days.clone().prop_map(|days| Decay::Exponential { days }),
        days.clone().prop_map(|days| Decay::HalfLife { days }),
        days.prop_map(|days| Decay::Linear { days }),
        Just(Decay::None),
    ]
}

/// The recipe with any decay, per and cap in its rules.
fn model() -> impl Strategy<Value = Model> {
    let per = prop_oneof![Just(Per::Event), Just(Per::Day), Just(Per::UserDay), Just(Per::Once)];
    let cap = prop::option::of((1u32..30, 1i64..30));
    let shape = (decay(), per, cap, any::<bool>());
    prop::collection::vec(shape, 16).prop_map(|shapes| {
        let mut model = recipe();
        for (rule, (decay, per, cap, own)) in model.rules.iter_mut().zip(shapes) {
            if let RuleKind::Event { per: old_per, cap: old_cap, .. } = &mut rule.kind
                && own
            {
                *old_per = per;
                *old_cap = cap.map(|(points, days)| Cap { points: f64::from(points), days });
                rule.decay = Some(decay);
            }
        }
        model
    })
}

prop_compose! {
    fn world(max_age: u64)(
        people in prop::collection::vec((0usize..3, prop::option::of(0usize..3), any::<bool>()), 1..5),
        days in prop::collection::vec((0u128..5, 0usize..EVENTS.len(), 0..max_age, 1i64..6), 0..60),
        tier in prop::option::of(0usize..3),
        trial in prop::option::of(0i64..15),
        active in 0i64..3,
        suggest in any::<bool>(),
    ) -> Owned {
        let mut world = Owned::new();
        for (at, (role, persona, manager)) in (1..).zip(people) {
            let member = world.member(at, ["admin", "member", "viewer"][role]);
            member.persona = persona.map(|persona| ["champion", "builder", "evaluator"][persona].into());
            member.seniority = manager.then(|| "manager".to_owned());
        }
        for (who, event, age, count) in days {
            world.did(who + 1, EVENTS[event], age, count);
        }
        world.fields.set("icp_fit_tier", tier.map(|tier| ["A", "B", "C"][tier]));
        world.fields.set("trial_days_remaining", trial);
        world.fields.set("active_days_14d", active);
        world.fields.set("workspace_age_days", 40);
        world.suggest_champions = suggest;
        world
    }
}

fn at(world: &mut Owned, model: &Model, day: NaiveDate) -> Scorecard {
    let compiled = world.compile(model);
    score(&compiled, &world.world(), day)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rows_add_up(model in model(), mut world in world(250)) {
        let card = world.score(&model);
        prop_assert_eq!(card.ledger.iter().map(|row| row.net).sum::<i64>(), card.score);
        prop_assert!((0..=10_000).contains(&card.score));
        for row in card.ledger.iter().filter(|row| row.kind != RowKind::Clamp) {
            prop_assert_eq!(row.raw + row.capped + row.role + row.decay, row.net, "{:?}", row);
        }
        for category in &card.categories {
            let rows = card.ledger.iter().filter(|row| row.category.as_deref() == Some(&category.key));
            prop_assert_eq!(rows.map(|row| row.net).sum::<i64>(), category.points);
        }
        let compiled = world.compile(&model);
        for member in member_scores(&compiled, &world.world(), today()) {
            prop_assert_eq!(member.categories.iter().map(|one| one.points).sum::<i64>(), member.score);
        }
    }

    #[test]
    fn without_new_events_no_event_rule_rises(model in model(), mut world in world(60), later in 1u64..40) {
        // With one member the lead cannot change, so rows of two days speak of the same person.
        world.members.truncate(1);
        let now = at(&mut world, &model, today());
        let then = at(&mut world, &model, today() + Days::new(later));
        for row in then.ledger.iter().filter(|row| row.kind == RowKind::Event) {
            let before = now.ledger.iter().find(|one| one.rule == row.rule);
            let before = before.map_or(0, |one| one.net);
            let rule = model.rule(row.rule.as_deref().unwrap()).unwrap();
            let RuleKind::Event { points, .. } = rule.kind else { unreachable!() };
            let sign = if points < 0.0 { -1 } else { 1 };
            prop_assert!(sign * row.net <= sign * before, "{:?} was {}", row, before);
        }
    }

    #[test]
    fn a_positive_event_never_lowers_the_score(
        mut model in model(), mut world in world(60), who in 0usize..4, event in 0usize..10, age in 0u64..60,
    ) {
        // `once` pays on the first day only, and an older first day is worth less: no claim there.
        for rule in &mut model.rules {
            if let RuleKind::Event { per, .. } = &mut rule.kind && *per == Per::Once {
                *per = Per::Day;
            }
        }
        // The roster is fixed: the event comes from a member, whose first active day it does not move.
        let who = u128::try_from(1 + who % world.members.len()).unwrap();
        world.did(who, "login", 60, 1);
        world.suggest_champions = false;
        let before = world.score(&model);
        world.did(who, EVENTS[event], age, 1);
        let after = world.score(&model);
        let rounding = i64::try_from(model.rules.len()).unwrap();
        prop_assert!(after.score >= before.score - rounding, "{} -> {}", before.score, after.score);
    }

    #[test]
    fn order_and_splitting_do_not_matter(
        model in model(), mut world in world(250), seed in any::<u64>(),
    ) {
        let before = world.score(&model);
        let mut split: Vec<UsageDay> = Vec::new();
        for day in &world.usage {
            let part = day.count / 2;
            split.push(UsageDay { count: day.count - part, ..*day });
            split.push(UsageDay { count: part, ..*day });
        }
        let mut state = seed;
        split.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state
        });
        world.usage = split;
        world.members.reverse();
        prop_assert_eq!(world.score(&model), before);
    }

    #[test]
    fn old_days_may_be_left_out(model in model(), mut world in world(400)) {
        let before = world.score(&model);
        // What a loader keeps: the lookback, and each (member, event)'s earliest day.
        let oldest = today() - Days::new(u64::try_from(model.lookback_days).unwrap());
        let all = world.usage.clone();
        world.usage.retain(|day| {
            let earliest = all.iter().filter(|one| (one.user, one.event) == (day.user, day.event));
            day.day >= oldest || Some(day.day) == earliest.map(|one| one.day).min()
        });
        prop_assert_eq!(world.score(&model), before);
    }

    #[test]
    fn the_future_does_not_exist(model in model(), mut world in world(60), ahead in 1u64..30) {
        let before = world.score(&model);
        let event = world.names.intern("usage_limit_hit");
        let day = today() + Days::new(ahead);
        world.usage.push(UsageDay { user: user(1), event, feature: None, day, count: 3, value: 0.0 });
        prop_assert_eq!(world.score(&model), before);
    }
}
