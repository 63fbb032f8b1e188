//! Changes, replay, advice and the document of a scorecard.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use uuid::Uuid;

use super::worlds::{day, recipe, today, user};
use crate::ids::WorkspaceId;
use crate::scoring::advice::distance;
use crate::scoring::card::Scorecard;
use crate::scoring::change::{PartKind, Stored};
use crate::scoring::compiled::CompiledModel;
use crate::scoring::evaluate::{Evaluation, evaluate, evaluate_with_change};
use crate::scoring::history::score_on;
use crate::usage::compute::Known;
use crate::usage::day::{Names, UsageDay};
use crate::usage::facts::{AccountFacts, Member, SubscriptionFacts, WorkspaceFacts};
use crate::usage::signal::Value;
use crate::usage::taxonomy::{CatalogEvent, Taxonomy};

/// A workspace with everything that is known about it, and the recipe.
struct Setting {
    names: Names,
    taxonomy: Taxonomy,
    model: CompiledModel,
    workspace: WorkspaceFacts,
    subscriptions: Vec<SubscriptionFacts>,
    account: AccountFacts,
    members: Vec<Member>,
    usage: Vec<UsageDay>,
}

impl Setting {
    fn new(roles: &[&str]) -> Self {
        let mut names = Names::new();
        let event = |key: &str, category: &str, milestone: Option<&str>| CatalogEvent {
            key: key.into(),
            label: key.into(),
            category: category.into(),
            milestone: milestone.map(str::to_owned),
        };
        let events = [
            event("key_action_completed", "activation", Some("primary")),
            event("core_feature_used", "depth", None),
            event("usage_limit_hit", "intent", None),
        ];
        let taxonomy = Taxonomy::new(&events, &[], &mut names);
        let model = CompiledModel::new(recipe(), 3, &mut names).unwrap();
        let workspace = WorkspaceFacts {
            created_at: "2026-10-01T06:00:00Z".parse().ok(),
            ..WorkspaceFacts::default()
        };
        let members = (1..).zip(roles).map(|(number, role)| {
            let mut member = Member::new(user(number));
            member.role = Some((*role).to_owned());
            member
        });
        let (members, account) = (members.collect(), AccountFacts::default());
        Self {
            names,
            taxonomy,
            model,
            workspace,
            subscriptions: vec![],
            account,
            members,
            usage: vec![],
        }
    }

    fn did(&mut self, who: u128, event: &str, age: u64, count: i64) {
        let event = self.names.intern(event);
        let day = today() - Days::new(age);
        self.usage.push(UsageDay { user: user(who), event, feature: None, day, count, value: 0.0 });
    }

    fn known(&self) -> Known<'_> {
        Known {
            workspace: &self.workspace,
            subscriptions: &self.subscriptions,
            account: Some(&self.account),
            members: &self.members,
            usage: &self.usage,
            taxonomy: &self.taxonomy,
            names: &self.names,
        }
    }

    fn on(&self, day: NaiveDate) -> Evaluation {
        evaluate(&self.model, WorkspaceId(Uuid::from_u128(1)), &self.known(), day)
    }

    fn changed(&self, stored: Option<Stored>) -> Scorecard {
        let id = WorkspaceId(Uuid::from_u128(1));
        let known = self.known();
        evaluate_with_change(&self.model, id, (Some(&known), &known), today(), stored).card
    }

    /// The change since yesterday, when `members` were those.
    fn changed_from(&self, members: &[Member]) -> Scorecard {
        let id = WorkspaceId(Uuid::from_u128(1));
        let before = Known { members, ..self.known() };
        let known = (Some(&before), &self.known());
        evaluate_with_change(&self.model, id, known, today(), None).card
    }
}

fn part(card: &Scorecard, kind: PartKind) -> i64 {
    let parts = &card.change.as_ref().unwrap().parts;
    parts.iter().filter(|part| part.kind == kind).map(|part| part.net).sum()
}

#[test]
fn a_limit_hit_today_and_an_older_one_that_fades() {
    let mut setting = Setting::new(&["admin"]);
    // Yesterday an upgrade click: 8 * 1.3 = 10.40, today 10.40 * e^(-1/7) = 9.0156 -> 9.02: decay -1.38.
    // Today a limit hit: 13. The day before yesterday's score is the recomputed one.
    setting.did(1, "upgrade_click", 1, 1);
    setting.did(1, "usage_limit_hit", 0, 1);
    let card = setting.changed(None);
    // 9.02 + 13 = 22.02, of which the limit of 20 takes 2.02.
    let change = card.change.clone().unwrap();
    assert_eq!((change.from, card.score), (1040, 2000));
    assert_eq!(change.since, day("2026-11-19"));
    assert_eq!(part(&card, PartKind::Decay), -138);
    assert_eq!(part(&card, PartKind::Activity), 1300);
    assert_eq!(part(&card, PartKind::Limit), -202);
    assert_eq!(change.parts[0].rule.as_deref(), Some("usage_limit_hit"));
    assert_eq!(change.parts.len(), 3);
}

#[test]
fn a_new_model_and_a_trial_that_nears_its_end() {
    let mut setting = Setting::new(&["admin"]);
    setting.did(1, "login", 3, 1);
    let trial_end_on = Some(today() + Days::new(3));
    setting.subscriptions.push(SubscriptionFacts {
        status: "trialing".into(),
        trial_end_on,
        ..SubscriptionFacts::default()
    });
    // Yesterday the trial had 4 days left, today 3: +5. The old model had given 1.
    let card = setting.changed(Some(Stored { score: 100, model_version: 2 }));
    assert_eq!((card.score, card.change.as_ref().unwrap().from), (500, 100));
    assert_eq!((part(&card, PartKind::State), part(&card, PartKind::Model)), (500, -100));
    let card = setting.changed(Some(Stored { score: 100, model_version: 3 }));
    assert_eq!(part(&card, PartKind::Identity), -100);
}

#[test]
fn a_new_role_is_a_part_of_its_own() {
    let mut setting = Setting::new(&["member"]);
    setting.did(1, "usage_limit_hit", 1, 1);
    let before = setting.members.clone();
    setting.members[0].role = Some("admin".to_owned());
    let card = setting.changed_from(&before);
    // Yesterday 10 * 0.6 = 6; a day later 6 * e^(-1/7) = 5.20; as admin 13 * e^(-1/7) = 11.27.
    assert_eq!((card.change.as_ref().unwrap().from, card.score), (600, 1127));
    assert_eq!((part(&card, PartKind::Decay), part(&card, PartKind::Role)), (-80, 607));
    assert_eq!(part(&card, PartKind::Identity), 0);
}

#[test]
fn another_lead_by_what_people_did_is_no_merge() {
    let mut setting = Setting::new(&["admin", "admin"]);
    setting.did(1, "upgrade_click", 1, 1);
    setting.did(2, "login", 1, 1);
    setting.did(2, "usage_limit_hit", 0, 1);
    let card = setting.changed(None);
    assert_eq!(card.lead_user.as_ref().map(|lead| lead.user_id), Some(user(2)));
    // The first admin's 9.02 go, the second one's 13 come.
    assert_eq!((part(&card, PartKind::Lead), part(&card, PartKind::Identity)), (1300 - 902, 0));
}

#[test]
fn the_document_of_a_scorecard() {
    let mut setting = Setting::new(&["admin", "member"]);
    setting.account.icp_fit_tier = Some("A".into());
    setting.did(1, "usage_limit_hit", 0, 2);
    setting.did(2, "core_feature_used", 1, 9);
    let card = setting.changed(None);
    let json = serde_json::to_value(&card).unwrap();
    assert_eq!(json["model"], serde_json::json!({"name": "Published recipe", "version": 3}));
    assert_eq!(json["as_of"], "2026-11-20");
    assert_eq!(json["lead_user"]["why"], "admin");
    let hit = json["ledger"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["rule"] == "usage_limit_hit")
        .unwrap();
    assert_eq!((&hit["raw"], &hit["role"], &hit["net"]), (&2000.into(), &600.into(), &2600.into()));
    let clamp =
        json["ledger"].as_array().unwrap().iter().find(|row| row["kind"] == "clamp").unwrap();
    assert!(clamp["rule"].is_null() && clamp["net"] == -600);
    assert_eq!(json["reasons"][0], "Hit a usage limit 2 times (+26.00)");
    assert_eq!(json["reasons"][1], "ICP fit A (+10.00)");
    assert_eq!(json["next_best_action"]["key"], "offer_upgrade");
    assert_eq!(serde_json::from_value::<Scorecard>(json).unwrap(), card);
    // 20 of intent, 10 of fit, and 2 for the admin, who came a day after the founder.
    assert_eq!(distance(setting.model.model(), card.score).as_deref(), Some("18 points to Warm"));
    assert_eq!(distance(setting.model.model(), 9000), None);
}

#[test]
fn advice_follows_the_signals() {
    let mut setting = Setting::new(&["admin"]);
    let advice = |setting: &Setting| setting.on(today()).card.next_best_action.unwrap().key;
    assert_eq!(advice(&setting), "win_back");
    setting.did(1, "login", 0, 1);
    assert_eq!(advice(&setting), "finish_activation");
    setting.did(1, "key_action_completed", 0, 1);
    assert_eq!(advice(&setting), "invite_teammates");
    setting.members.push(Member::new(user(2)));
    assert_eq!(advice(&setting), "connect_integration");
    setting.did(1, "usage_limit_hit", 0, 1);
    setting.subscriptions.push(SubscriptionFacts {
        status: "trialing".into(),
        trial_end_on: Some(today() + Days::new(1)),
        ..SubscriptionFacts::default()
    });
    let action = setting.on(today()).card.next_best_action.unwrap();
    assert_eq!(action.text, "Call the admin about the usage limit: the trial ends tomorrow");
}

#[test]
fn the_score_is_a_field_too() {
    let mut setting = Setting::new(&["admin"]);
    setting.did(1, "usage_limit_hit", 0, 1);
    let fields = setting.on(today()).fields;
    assert_eq!(fields.get("pql_score"), &Value::Number(13.0));
    assert_eq!(fields.get("score_intent"), &Value::Number(13.0));
    assert_eq!(fields.get("pql_stage"), &Value::from("not_pql"));
    assert_eq!(fields.get("active_days_14d"), &Value::Int(1));
}

const EVENTS: [&str; 6] = [
    "key_action_completed",
    "core_feature_used",
    "invite_sent",
    "usage_limit_hit",
    "workspace_downgraded",
    "login",
];

prop_compose! {
    fn setting()(
        roles in prop::collection::vec(0usize..2, 1..4),
        days in prop::collection::vec((0u128..4, 0usize..EVENTS.len(), 0u64..20, 1i64..4), 0..40),
    ) -> Setting {
        let roles: Vec<&str> = roles.into_iter().map(|role| ["admin", "member"][role]).collect();
        let mut setting = Setting::new(&roles);
        for (who, event, age, count) in days {
            setting.did(who + 1, EVENTS[event], age, count);
        }
        setting
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("members", &self.members)
            .field("usage", &self.usage)
            .finish()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_parts_add_up(setting in setting(), stored in prop::option::of((0i64..10_000, 2i64..4))) {
        let stored = stored.map(|(score, model_version)| Stored { score, model_version });
        let card = setting.changed(stored);
        let change = card.change.unwrap();
        let sum: i64 = change.parts.iter().map(|part| part.net).sum();
        prop_assert_eq!(change.from + sum, card.score);
        prop_assert!(change.parts.iter().all(|part| part.net != 0));
    }

    #[test]
    fn the_signals_and_the_flag_agree_on_buyers(setting in setting(), invites in 0i64..4, days in 0u64..7) {
        let mut setting = setting;
        setting.did(1, "invite_sent", 1, invites);
        (0..days).for_each(|age| setting.did(1, "login", age, 1));
        let evaluation = setting.on(today());
        let signal = |key: &str| evaluation.fields.get(key) == &Value::Bool(true);
        let is_covered = signal("admin_present") || signal("champion_present");
        prop_assert_eq!(signal("no_buyer_coverage"), !is_covered);
        prop_assert_eq!(evaluation.card.buyers.is_empty(), !is_covered);
    }

    #[test]
    fn replay_says_what_the_engine_said(setting in setting()) {
        let days: Vec<NaiveDate> = (0..25).rev().map(|age| today() - Days::new(age)).collect();
        let id = WorkspaceId(Uuid::from_u128(1));
        let mut usage = setting.usage.clone();
        usage.sort_by_key(|one| one.day);
        for day in days {
            let known = Known { usage: &usage, ..setting.known() };
            let replayed = score_on(&setting.model, id, &known, day);
            let card = setting.on(day).card;
            prop_assert_eq!((replayed.day, replayed.score, &replayed.stage), (day, card.score, &card.stage));
            let points: Vec<i64> = card.categories.iter().map(|category| category.points).collect();
            prop_assert_eq!(&replayed.categories, &points);
        }
    }
}
