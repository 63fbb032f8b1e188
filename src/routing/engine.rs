//! `route(rules, fields) -> Decision`: pure, total, replayable; the same for preview and real life.
//!
//! A rule set without a catch-all is still total: what nothing matches goes to nurture.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::rule::{Channel, Destination, Rule, RuleSet, clause_words};
use crate::ownership::strategy::Strategy;
use crate::usage::condition::{Clause, all_hold};
use crate::usage::dictionary;
use crate::usage::signal::{Fields, Value};

/// A field and what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The field's key.
    pub field: String,
    /// Its value then.
    pub value: Value,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// It matched and decided.
    Matched,
    /// It is switched off.
    Disabled,
    /// Its first clause that does not hold.
    Failed {
        /// The clause in words.
        condition: String,
        /// Its fields with their actual values.
        actual: Vec<Seen>,
    },
}

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The rule's key.
    pub rule: String,
    /// Its name then.
    pub name: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Line {
    /// Why the rule did not match, as the record shows it; empty for the match.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.outcome {
            Outcome::Matched => String::new(),
            Outcome::Disabled => "switched off".to_owned(),
            Outcome::Failed { condition, actual } => {
                let seen: Vec<String> = actual
                    .iter()
                    .map(|seen| {
                        format!("{} is {}", dictionary::label(&seen.field), seen.value.to_words())
                    })
                    .collect();
                format!("needs {condition}, but {}", seen.join(", "))
            }
        }
    }
}

/// Where a workspace goes and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The key of the rule that matched.
    pub rule_key: String,
    /// Its name.
    pub rule_name: String,
    /// Where to.
    pub destination: Destination,
    /// How the owner is found.
    pub owners: Vec<Strategy>,
    /// Business hours to the first touch.
    pub sla_hours: Option<u32>,
    /// 1 to 3.
    pub priority: i32,
    /// The title of the task, with `{workspace}`.
    pub task: Option<String>,
    /// The channels that join.
    pub overlays: Vec<Channel>,
    /// Every rule down to the match.
    pub trace: Vec<Line>,
    /// The fields that were looked at.
    pub facts: Fields,
}

/// The first enabled rule whose clauses all hold decides.
#[must_use]
pub fn route(rules: &RuleSet, fields: &Fields) -> Decision {
    let mut trace = Vec::new();
    let mut facts = Fields::new();
    for rule in &rules.rules {
        let outcome = examine(rule, fields, &mut facts);
        let matched = outcome == Outcome::Matched;
        trace.push(Line { rule: rule.key.clone(), name: rule.name.clone(), outcome });
        if matched {
            return decided(rule, fields, trace, facts);
        }
    }
    Decision {
        rule_key: "no_rule".to_owned(),
        rule_name: "No rule matched".to_owned(),
        destination: Destination::Nurture,
        owners: Vec::new(),
        sla_hours: None,
        priority: 2,
        task: None,
        overlays: Vec::new(),
        trace,
        facts,
    }
}

fn decided(rule: &Rule, fields: &Fields, trace: Vec<Line>, facts: Fields) -> Decision {
    let overlays = rule
        .overlays
        .iter()
        .filter(|overlay| all_hold(&overlay.when, fields))
        .map(|overlay| overlay.channel)
        .collect();
    Decision {
        rule_key: rule.key.clone(),
        rule_name: rule.name.clone(),
        destination: rule.destination,
        owners: rule.owners.clone(),
        sla_hours: rule.sla_hours,
        priority: rule.priority,
        task: rule.task.clone(),
        overlays,
        trace,
        facts,
    }
}

fn examine(rule: &Rule, fields: &Fields, facts: &mut Fields) -> Outcome {
    if !rule.enabled {
        return Outcome::Disabled;
    }
    for clause in &rule.when {
        let actual = seen(clause, fields);
        for one in &actual {
            facts.set(one.field.clone(), one.value.clone());
        }
        if !clause.holds(|key| Cow::Borrowed(fields.get(key))) {
            return Outcome::Failed { condition: clause_words(clause), actual };
        }
    }
    Outcome::Matched
}

fn seen(clause: &Clause, fields: &Fields) -> Vec<Seen> {
    let conditions = clause.conditions().iter();
    conditions
        .map(|condition| Seen {
            field: condition.field.clone(),
            value: fields.get(&condition.field).clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::operator::Op;
    use crate::usage::condition::Condition;
    use proptest::prelude::*;

    fn any_clause() -> impl Strategy2<Value = Clause> {
        let condition = (0_usize..4, 0_usize..6, -2_i64..3).prop_map(|(field, op, value)| {
            let fields = ["wau", "mau", "pql_score", "segment"];
            let ops = [Op::Eq, Op::Ne, Op::Lt, Op::Ge, Op::IsSet, Op::IsNotSet];
            Condition::new(fields[field], ops[op], value)
        });
        prop_oneof![
            condition.clone().prop_map(Clause::One),
            proptest::collection::vec(condition, 0..3).prop_map(|any| Clause::Any { any }),
        ]
    }

    use proptest::strategy::Strategy as Strategy2;

    fn any_rules() -> impl Strategy2<Value = RuleSet> {
        let one = (proptest::collection::vec(any_clause(), 0..3), any::<bool>(), 0_usize..7);
        proptest::collection::vec(one, 0..6).prop_map(|rules| RuleSet {
            rules: rules
                .into_iter()
                .enumerate()
                .map(|(at, (when, enabled, destination))| Rule {
                    key: format!("r{at}"),
                    name: format!("Rule {at}"),
                    enabled,
                    when,
                    destination: Destination::ALL[destination],
                    owners: vec![],
                    sla_hours: None,
                    priority: 2,
                    task: None,
                    overlays: vec![],
                })
                .collect(),
        })
    }

    fn any_fields() -> impl Strategy2<Value = Fields> {
        proptest::collection::vec(proptest::option::of(-2_i64..3), 4).prop_map(|values| {
            ["wau", "mau", "pql_score", "segment"].into_iter().zip(values).collect()
        })
    }

    proptest! {
        #[test]
        fn total_deterministic_and_traced(rules in any_rules(), fields in any_fields()) {
            let decision = route(&rules, &fields);
            prop_assert_eq!(&decision, &route(&rules, &fields));
            // Every rule down to the match stands in the trace, in order.
            for (line, rule) in decision.trace.iter().zip(&rules.rules) {
                prop_assert_eq!(&line.rule, &rule.key);
            }
            match rules.rules.iter().position(|rule| rule.enabled && all_hold(&rule.when, &fields)) {
                Some(at) => {
                    prop_assert_eq!(&decision.rule_key, &rules.rules[at].key);
                    prop_assert_eq!(decision.trace.len(), at + 1);
                    prop_assert_eq!(&decision.trace[at].outcome, &Outcome::Matched);
                }
                None => {
                    prop_assert_eq!(decision.destination, Destination::Nurture);
                    prop_assert_eq!(decision.trace.len(), rules.rules.len());
                }
            }
            let matches = decision.trace.iter().filter(|line| line.outcome == Outcome::Matched);
            prop_assert!(matches.count() <= 1);
        }

        #[test]
        fn a_disabled_rule_decides_nothing(rules in any_rules(), fields in any_fields()) {
            let mut without = rules.clone();
            without.rules.retain(|rule| rule.enabled);
            let (with, without) = (route(&rules, &fields), route(&without, &fields));
            prop_assert_eq!(with.rule_key, without.rule_key);
            prop_assert_eq!(with.facts, without.facts);
        }

        #[test]
        fn order_matters_only_down_to_the_match(rules in any_rules(), fields in any_fields()) {
            let decision = route(&rules, &fields);
            let mut turned = rules;
            let keep = decision.trace.len().min(turned.rules.len());
            turned.rules[keep..].reverse();
            prop_assert_eq!(&decision, &route(&turned, &fields));
            // Rules that don't match may change places among themselves.
            turned.rules[..keep.saturating_sub(1)].reverse();
            prop_assert_eq!(decision.rule_key, route(&turned, &fields).rule_key);
        }
    }

    #[test]
    fn a_failed_line_says_what_it_saw() {
        let rules = crate::routing::defaults::rule_set();
        let fields: Fields =
            [("workspace_status", "active"), ("workspace_type", "dev")].into_iter().collect();
        let line = &route(&rules, &fields).trace[0];
        assert_eq!(line.outcome, Outcome::Matched);
        let mut fields: Fields =
            [("workspace_status", "active"), ("workspace_type", "prod")].into_iter().collect();
        fields.set("pql_score", 41.5);
        let decision = route(&rules, &fields);
        let hot = decision.trace.iter().find(|line| line.rule == "hot").unwrap();
        assert_eq!(hot.words(), "needs Score is at least 80, but Score is 41.5");
        assert_eq!(decision.facts.get("pql_score"), &Value::Number(41.5));
    }
}
