use uuid::Uuid;

use super::*;
use crate::usage::dictionary::{FIELDS, FieldLevel, Group};
use crate::usage::taxonomy::CatalogEvent;

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn today() -> NaiveDate {
    "2026-11-20".parse().unwrap()
}

fn event(key: &str, category: &str, milestone: Option<&str>) -> CatalogEvent {
    CatalogEvent {
        key: key.into(),
        label: key.replace('_', " "),
        category: category.into(),
        milestone: milestone.map(str::to_owned),
    }
}

struct Setting {
    names: Names,
    taxonomy: Taxonomy,
    workspace: WorkspaceFacts,
    subscriptions: Vec<SubscriptionFacts>,
    members: Vec<Member>,
    usage: Vec<UsageDay>,
}

impl Setting {
    fn new() -> Self {
        let mut names = Names::new();
        let events = [
            event("key_action_completed", "activation", Some("primary")),
            event("first_value_delivered", "activation", Some("secondary")),
            event("core_feature_used", "depth", None),
            event("usage_limit_hit", "intent", None),
        ];
        let features =
            ["boards".to_owned(), "alerts".to_owned(), "reports".to_owned(), "api".to_owned()];
        let taxonomy = Taxonomy::new(&events, &features, &mut names);
        let workspace = WorkspaceFacts {
            external_id: "acme".into(),
            created_at: "2026-11-01T06:00:00Z".parse().ok(),
            ..WorkspaceFacts::default()
        };
        Self { names, taxonomy, workspace, subscriptions: vec![], members: vec![], usage: vec![] }
    }

    fn did(&mut self, who: u128, event: &str, feature: Option<&str>, age: u64, count: i64) {
        let event = self.names.intern(event);
        let feature = feature.map(|feature| self.names.intern(feature));
        let day = today() - Days::new(age);
        self.usage.push(UsageDay { user: user(who), event, feature, day, count, value: 2.5 });
    }

    fn known(&self) -> Known<'_> {
        Known {
            workspace: &self.workspace,
            subscriptions: &self.subscriptions,
            account: None,
            members: &self.members,
            usage: &self.usage,
            taxonomy: &self.taxonomy,
            names: &self.names,
        }
    }

    fn int(&self, key: &str) -> Option<i64> {
        workspace_fields(&self.known(), today()).get(key).as_int()
    }
}

#[test]
fn the_last_n_days_end_with_today() {
    let mut setting = Setting::new();
    setting.members.push(Member::new(user(1)));
    setting.members.push(Member::new(user(2)));
    for age in [0, 6, 7, 13, 14, 29, 30] {
        setting.did(1, "core_feature_used", None, age, 2);
    }
    setting.did(2, "login", None, 6, 3);
    setting.did(3, "login", None, 0, 1);
    assert_eq!(setting.int("active_days_14d"), Some(4));
    assert_eq!(setting.int("active_days_30d"), Some(6));
    assert_eq!(setting.int("core_actions_7d"), Some(4));
    assert_eq!(setting.int("logins_7d"), Some(4));
    // The third person is no member: a login of theirs makes a day active, not a seat.
    assert_eq!(
        (setting.int("dau"), setting.int("wau"), setting.int("mau")),
        (Some(1), Some(2), Some(2))
    );
    let members = member_fields(&setting.known(), today());
    assert_eq!(members[&user(2)].get("active_days_14d"), &Value::Int(1));
    let earlier = workspace_fields(&setting.known(), today() - Days::new(7));
    assert_eq!(earlier.get("active_days_14d"), &Value::Int(3), "what came later does not exist");
}

#[test]
fn features_and_integrations() {
    let mut setting = Setting::new();
    setting.did(1, "core_feature_used", Some("boards"), 20, 1);
    setting.did(1, "core_feature_used", Some("alerts"), 2, 1);
    setting.did(1, "core_feature_used", Some("colours"), 2, 1);
    setting.did(1, "integration_installed", Some("Salesforce"), 9, 1);
    setting.did(1, "integration_installed", Some("slack"), 9, 1);
    setting.did(1, "uninstall_integration", Some("slack"), 3, 1);
    let fields = workspace_fields(&setting.known(), today());
    assert_eq!(fields.get("features_activated"), &Value::Int(3));
    assert_eq!(fields.get("core_feature_adoption_count_14d"), &Value::Int(1));
    assert_eq!(fields.get("key_feature_adoption_ratio"), &Value::Number(0.5));
    assert_eq!(fields.get("integrations_installed"), &Value::Int(1));
    assert_eq!(fields.get("integration_installs_30d"), &Value::Int(2));
    assert_eq!(fields.get("crm_connected"), &Value::Bool(true));
    assert_eq!(fields.get("data_warehouse_export_enabled"), &Value::Bool(false));
}

#[test]
fn activation_is_the_primary_milestone() {
    let mut setting = Setting::new();
    setting.did(1, "first_value_delivered", None, 18, 1);
    assert_eq!(workspace_fields(&setting.known(), today()).get("activated"), &Value::Bool(false));
    setting.did(1, "key_action_completed", None, 17, 1);
    let fields = workspace_fields(&setting.known(), today());
    assert_eq!(fields.get("activation_date"), &Value::Date("2026-11-03".parse().unwrap()));
    assert_eq!(fields.get("activation_path"), &Value::from("key action completed"));
    // From the 1st, 6:00, to the start of the 3rd: 42 hours.
    assert_eq!(fields.get("time_to_activation_hours"), &Value::Number(42.0));
    assert_eq!(fields.get("activation_percent"), &Value::Number(100.0));
}

#[test]
fn money_and_trials() {
    let mut setting = Setting::new();
    assert_eq!(
        workspace_fields(&setting.known(), today()).get("paid_status"),
        &Value::from("free")
    );
    let trial = SubscriptionFacts {
        status: "trialing".into(),
        trial_end_on: Some(today()),
        ..SubscriptionFacts::default()
    };
    setting.subscriptions.push(trial);
    assert_eq!(setting.int("trial_days_remaining"), Some(0));
    setting.subscriptions.push(SubscriptionFacts {
        status: "past_due".into(),
        mrr_cents: 9900,
        seats: Some(5),
        renewal_on: Some(today() + Days::new(3)),
        ..SubscriptionFacts::default()
    });
    let fields = workspace_fields(&setting.known(), today());
    assert_eq!(fields.get("paid_status"), &Value::from("paid"));
    assert_eq!(fields.get("trial_days_remaining"), &Value::Null);
    assert_eq!(fields.get("arr"), &Value::Int(118_800));
    assert_eq!(
        (fields.get("seat_count_total"), fields.get("days_to_renewal")),
        (&Value::Int(5), &Value::Int(3))
    );
}

#[test]
fn money_of_several_currencies_is_not_added_up() {
    let mut setting = Setting::new();
    let mut pay = |currency: &str, mrr_cents| {
        setting.subscriptions.push(SubscriptionFacts {
            status: "active".into(),
            currency: currency.into(),
            mrr_cents,
            ..SubscriptionFacts::default()
        });
        let fields = workspace_fields(&setting.known(), today());
        ["mrr", "arr", "mrr_currency"].map(|key| fields.get(key).clone())
    };
    let of = |currency: &str, mrr: i64| [mrr.into(), (12 * mrr).into(), currency.into()];
    assert_eq!(pay("jpy", 3000), of("jpy", 300_000), "3,000 yen are no 30 dollars");
    assert_eq!(pay("usd", 2000), of("jpy", 300_000));
    assert_eq!(pay("usd", 500), of("usd", 2500), "most of them are in dollars");
}

#[test]
fn seats_grow_by_who_joined_and_shrink_by_who_left() {
    let mut setting = Setting::new();
    for (number, joined, left) in [(1, 60, None), (2, 10, None), (3, 5, None), (4, 60, Some(2))] {
        let mut member = Member::new(user(number));
        member.joined_on = Some(today() - Days::new(joined));
        member.left_on = left.map(|age| today() - Days::new(age));
        setting.members.push(member);
    }
    assert_eq!((setting.int("member_count"), setting.int("seat_growth_30d")), (Some(3), Some(1)));
}

#[test]
fn every_field_before_the_score_is_computed() {
    let mut setting = Setting::new();
    setting.members.push(Member::new(user(1)));
    let fields = workspace_fields(&setting.known(), today());
    let mine = |group| !matches!(group, Group::Score | Group::Ownership | Group::Member);
    for field in FIELDS.iter().filter(|field| mine(field.group)) {
        assert!(fields.has(field.key), "{} is missing", field.key);
    }
    for (key, _) in fields.iter() {
        assert!(FIELDS.iter().any(|field| field.key == key), "{key} is not in the dictionary");
    }
    let members = member_fields(&setting.known(), today());
    for field in FIELDS.iter().filter(|field| field.level == FieldLevel::Both) {
        assert!(members[&user(1)].has(field.key), "{} is missing for members", field.key);
    }
}

#[test]
fn activation_takes_its_own_moment() {
    let mut setting = Setting::new();
    let key_action = setting.names.intern("key_action_completed");
    setting.did(1, "key_action_completed", None, 19, 1);
    let mut hours = |created: &str, at: &[&str]| {
        setting.workspace.created_at = created.parse().ok();
        setting.workspace.first_events =
            at.iter().map(|at| (key_action, at.parse().unwrap())).collect();
        workspace_fields(&setting.known(), today()).get("time_to_activation_hours").clone()
    };
    let created = "2026-11-01T08:00:00Z";
    assert_eq!(hours(created, &["2026-11-01T20:00:00Z"]), Value::Number(12.0));
    assert_eq!(
        hours(created, &["2026-11-01T20:30:00Z", "2026-11-01T09:15:00Z"]),
        Value::Number(1.25)
    );
    assert_eq!(hours("2026-11-01T21:00:00Z", &["2026-11-01T20:00:00Z"]), Value::Number(0.0));
    // A moment of another day is not that of the first.
    assert_eq!(hours("2026-10-31T20:00:00Z", &["2026-11-02T20:00:00Z"]), Value::Number(4.0));
}

#[test]
fn the_paid_status_of_every_status_of_a_subscription() {
    let mut setting = Setting::new();
    let mut status = |all: &[(&str, bool)]| {
        setting.subscriptions = all
            .iter()
            .map(|(status, is_free)| SubscriptionFacts {
                status: (*status).into(),
                is_free: *is_free,
                ..SubscriptionFacts::default()
            })
            .collect();
        workspace_fields(&setting.known(), today()).get("paid_status").clone()
    };
    for (all, expected) in [
        (vec![], "free"),
        (vec![("active", false)], "paid"),
        (vec![("past_due", false)], "paid"),
        (vec![("trialing", false)], "trial"),
        (vec![("canceled", false)], "churned"),
        (vec![("unpaid", false)], "free"),
        (vec![("paused", false)], "free"),
        (vec![("incomplete", false)], "free"),
        (vec![("incomplete_expired", false)], "free"),
        (vec![("active", true)], "free"),
        (vec![("past_due", true)], "free"),
        (vec![("canceled", true)], "free"),
        (vec![("canceled", false), ("incomplete_expired", false)], "churned"),
        (vec![("incomplete", false), ("canceled", false)], "churned"),
        (vec![("canceled", false), ("canceled", true)], "churned"),
        (vec![("canceled", false), ("active", true)], "free"),
        (vec![("canceled", false), ("active", false)], "paid"),
        (vec![("active", true), ("trialing", false)], "trial"),
        (vec![("active", false), ("trialing", false)], "paid"),
    ] {
        assert_eq!(status(&all), Value::from(expected), "{all:?}");
    }
}

#[test]
fn a_trial_that_is_over_is_none() {
    let mut setting = Setting::new();
    setting.workspace.plan_tier = Some("trial".into());
    let trial = |end: Option<NaiveDate>| SubscriptionFacts {
        status: "trialing".into(),
        trial_end_on: end,
        seats: Some(7),
        ..SubscriptionFacts::default()
    };
    let mut on = |subscriptions: Vec<SubscriptionFacts>| {
        setting.subscriptions = subscriptions;
        let fields = workspace_fields(&setting.known(), today());
        let keys = ["paid_status", "plan_tier", "trial_days_remaining", "seats_purchased"];
        keys.map(|key| fields.get(key).to_words())
    };
    let yesterday = today().pred_opt();
    assert_eq!(on(vec![trial(Some(today()))]), ["trial", "trial", "0", "7"]);
    assert_eq!(on(vec![trial(None)]), ["trial", "trial", "not set", "7"]);
    assert_eq!(on(vec![trial(yesterday)]), ["free", "free", "not set", "not set"]);
    let paid = SubscriptionFacts { status: "active".into(), ..SubscriptionFacts::default() };
    assert_eq!(on(vec![trial(yesterday), paid])[..2], ["paid", "unknown"]);
}

#[test]
fn an_unknown_plan_without_a_subscription_says_nothing_of_paying() {
    let mut setting = Setting::new();
    setting.workspace.plan_tier = Some("unknown".into());
    let fields = workspace_fields(&setting.known(), today());
    assert_eq!(
        (fields.get("plan_tier"), fields.get("paid_status")),
        (&"unknown".into(), &Value::Null)
    );
}
