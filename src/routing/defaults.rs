//! The rule set of a new installation (spec: routing.md, Default rule set; article step 8 and FAQ).

use super::rule::{Channel, Destination, Overlay, Rule, RuleSet};
use crate::catalog::operator::Op;
use crate::ownership::strategy::Strategy;
use crate::usage::condition::{Clause, Condition};
use crate::usage::signal::Value;

/// Active, production, without anomaly; then expansion, hot, light touch, e-mail, nurture.
#[must_use]
pub fn rule_set() -> RuleSet {
    RuleSet {
        rules: vec![
            not_a_lead(),
            expansion_enterprise(),
            expansion(),
            hot(),
            light_touch(),
            email_and_prompt(),
            email_for_coverage(),
            nurture(),
        ],
    }
}

fn rule(key: &str, name: &str, when: Vec<Clause>, destination: Destination) -> Rule {
    Rule {
        key: key.to_owned(),
        name: name.to_owned(),
        enabled: true,
        when,
        destination,
        owners: Vec::new(),
        sla_hours: None,
        priority: 2,
        task: None,
        overlays: Vec::new(),
    }
}

fn is(field: &str, op: Op, value: impl Into<Value>) -> Clause {
    Clause::One(Condition::new(field, op, value))
}

fn any<const N: usize>(conditions: [Condition; N]) -> Clause {
    Clause::Any { any: conditions.into() }
}

fn tiers(keys: &[&str]) -> Value {
    Value::List(keys.iter().map(|key| Value::from(*key)).collect())
}

fn in_turn(pool: &str) -> Vec<Strategy> {
    vec![Strategy::AccountOwner, Strategy::Territory, Strategy::PoolRoundRobin(pool.to_owned())]
}

fn not_a_lead() -> Rule {
    let when = vec![any([
        Condition::new("workspace_status", Op::Ne, "active"),
        Condition::new("workspace_type", Op::Ne, "prod"),
        Condition::new("has_open_anomaly", Op::Eq, true),
    ])];
    rule("not_a_lead", "Not a lead", when, Destination::None)
}

fn expansion() -> Rule {
    let when = vec![is("paid_status", Op::Eq, "paid"), is("pql_score", Op::Ge, 70)];
    Rule {
        owners: in_turn("csm"),
        sla_hours: Some(24),
        task: Some("Expansion play: {workspace}".to_owned()),
        ..rule("expansion", "Expansion", when, Destination::Csm)
    }
}

fn expansion_enterprise() -> Rule {
    let base = expansion();
    let mut when = base.when.clone();
    when.push(is("segment", Op::Eq, "enterprise"));
    Rule {
        key: "expansion_enterprise".to_owned(),
        name: "Expansion, enterprise".to_owned(),
        when,
        destination: Destination::Ae,
        owners: in_turn("ae"),
        ..base
    }
}

fn hot() -> Rule {
    let when = vec![
        is("pql_score", Op::Ge, 80),
        is("icp_fit_tier", Op::In, tiers(&["A", "B"])),
        is("high_intent_events_14d", Op::Ge, 1),
        any([
            Condition::new("admin_present", Op::Eq, true),
            Condition::new("upgrade_clicks_7d", Op::Gt, 0),
            Condition::new("pricing_page_views_7d", Op::Gt, 0),
            Condition::new("seat_growth_30d", Op::Ge, 3),
        ]),
    ];
    Rule {
        owners: in_turn("sdr"),
        sla_hours: Some(4),
        priority: 1,
        task: Some("Call {workspace}".to_owned()),
        overlays: vec![Overlay {
            channel: Channel::AeAssist,
            when: vec![is("segment", Op::Eq, "enterprise")],
        }],
        ..rule("hot", "Hot PQL", when, Destination::Sdr)
    }
}

fn light_touch() -> Rule {
    let when = vec![
        is("pql_score", Op::Ge, 65),
        is("pql_score", Op::Lt, 80),
        is("icp_fit_tier", Op::Eq, "A"),
        is("no_buyer_coverage", Op::Eq, false),
    ];
    Rule {
        owners: in_turn("sdr"),
        sla_hours: Some(24),
        task: Some("Light touch: {workspace}".to_owned()),
        overlays: vec![Overlay { channel: Channel::LifecycleEmail, when: Vec::new() }],
        ..rule("light_touch", "Light touch", when, Destination::Sdr)
    }
}

fn email_and_prompt() -> Rule {
    let when = vec![is("pql_score", Op::Ge, 60)];
    Rule {
        overlays: vec![Overlay { channel: Channel::InApp, when: Vec::new() }],
        ..rule("email_and_prompt", "E-mail and prompt", when, Destination::LifecycleEmail)
    }
}

fn email_for_coverage() -> Rule {
    let when = vec![
        is("pql_score", Op::Ge, 50),
        any([
            Condition::new("no_buyer_coverage", Op::Eq, true),
            Condition::new("icp_fit_tier", Op::IsNotSet, Value::Null),
        ]),
    ];
    rule("email_for_coverage", "E-mail for coverage", when, Destination::LifecycleEmail)
}

fn nurture() -> Rule {
    rule("nurture", "Everything else", Vec::new(), Destination::Nurture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::engine::route;
    use crate::usage::signal::Fields;

    fn hot_workspace() -> Fields {
        let mut fields = Fields::new();
        fields.set("workspace_status", "active");
        fields.set("workspace_type", "prod");
        fields.set("has_open_anomaly", false);
        fields.set("paid_status", "trial");
        fields.set("pql_score", 83.5);
        fields.set("icp_fit_tier", "B");
        fields.set("high_intent_events_14d", 2);
        fields.set("admin_present", true);
        fields.set("no_buyer_coverage", false);
        fields
    }

    fn goes_to(changes: &[(&'static str, Value)]) -> (String, Destination) {
        let mut fields = hot_workspace();
        for (key, value) in changes {
            fields.set(*key, value.clone());
        }
        let decision = route(&rule_set(), &fields);
        (decision.rule_key, decision.destination)
    }

    #[test]
    fn the_document_is_valid_and_reads_back() {
        let set = rule_set();
        assert_eq!(set.validate(), Ok(()));
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<RuleSet>(&json).unwrap(), set);
    }

    #[test]
    fn every_line_of_the_spec() {
        use Destination::{Ae, Csm, LifecycleEmail, None, Nurture, Sdr};
        let text = |word: &str| Value::from(word);
        let null = Value::Null;
        type Case = (Vec<(&'static str, Value)>, &'static str, Destination);
        let cases: Vec<Case> = vec![
            (vec![], "hot", Sdr),
            (vec![("workspace_status", text("suspended"))], "not_a_lead", None),
            (vec![("workspace_type", text("sandbox"))], "not_a_lead", None),
            (vec![("has_open_anomaly", true.into())], "not_a_lead", None),
            (vec![("paid_status", text("paid"))], "expansion", Csm),
            (
                vec![("paid_status", text("paid")), ("segment", text("enterprise"))],
                "expansion_enterprise",
                Ae,
            ),
            (
                vec![("paid_status", text("paid")), ("pql_score", 69.99.into())],
                "email_and_prompt",
                LifecycleEmail,
            ),
            (vec![("icp_fit_tier", text("C"))], "email_and_prompt", LifecycleEmail),
            (vec![("high_intent_events_14d", 0.into())], "email_and_prompt", LifecycleEmail),
            (vec![("admin_present", false.into())], "email_and_prompt", LifecycleEmail),
            (vec![("admin_present", false.into()), ("seat_growth_30d", 3.into())], "hot", Sdr),
            (vec![("admin_present", false.into()), ("upgrade_clicks_7d", 1.into())], "hot", Sdr),
            (vec![("pql_score", 79.99.into()), ("icp_fit_tier", text("A"))], "light_touch", Sdr),
            (
                vec![
                    ("pql_score", 70.into()),
                    ("icp_fit_tier", text("A")),
                    ("no_buyer_coverage", true.into()),
                ],
                "email_and_prompt",
                LifecycleEmail,
            ),
            (vec![("pql_score", 70.into())], "email_and_prompt", LifecycleEmail),
            (
                vec![("pql_score", 55.into()), ("icp_fit_tier", null)],
                "email_for_coverage",
                LifecycleEmail,
            ),
            (
                vec![("pql_score", 55.into()), ("no_buyer_coverage", true.into())],
                "email_for_coverage",
                LifecycleEmail,
            ),
            (vec![("pql_score", 55.into())], "nurture", Nurture),
        ];
        for (changes, rule, destination) in cases {
            assert_eq!(goes_to(&changes), (rule.to_owned(), destination), "{changes:?}");
        }
    }

    #[test]
    fn enterprise_gets_an_ae_beside_the_sdr() {
        let mut fields = hot_workspace();
        assert!(route(&rule_set(), &fields).overlays.is_empty());
        fields.set("segment", "enterprise");
        assert_eq!(route(&rule_set(), &fields).overlays, [Channel::AeAssist]);
    }

    #[test]
    fn rules_read_as_sentences() {
        let rules = rule_set().rules;
        let hot = rules.iter().find(|rule| rule.key == "hot").unwrap();
        assert_eq!(hot.conditions()[0], "Score is at least 80");
        assert!(hot.conditions()[3].contains(" or Pricing page views, 7 days is above 0"));
        assert!(
            hot.outcome().starts_with("SDR · account owner, else territory in turn, else SDR pool")
        );
    }
}
