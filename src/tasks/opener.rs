//! The first lines of a mail, built from what the team achieved.
//!
//! Only milestones that people are glad to hear of: an integration, a limit, teammates, the end of a
//! trial. Never that somebody looked at the prices: being watched is no reason to answer.

use chrono::NaiveDate;

use super::handoff::{KeyEvent, count};
use crate::usage::dictionary::in_words;
use crate::usage::signal::Fields;

/// What the opener may mention.
pub(super) struct Told<'a> {
    /// The first person to write to.
    pub greet: Option<&'a str>,
    /// The account, or the workspace where there is none.
    pub team: &'a str,
    /// Key events, newest first.
    pub events: &'a [KeyEvent],
    /// The signals of that day.
    pub fields: &'a Fields,
    /// The trial's last day.
    pub trial_end_on: Option<NaiveDate>,
    /// Who writes.
    pub signature: &'a str,
}

/// A greeting, one sentence of milestones, an offer, a name. Plain text.
pub(super) fn opener(told: &Told<'_>) -> String {
    let greeting = match told.greet.map(first_name) {
        Some(name) if !name.is_empty() && !name.contains('@') => format!("Hi {name},"),
        _ => "Hello,".to_owned(),
    };
    let milestones = milestones(told);
    let seen = if milestones.is_empty() {
        format!("I saw that the team at {} has been getting a lot done lately.", told.team)
    } else {
        format!("I saw that the team at {} {}.", told.team, listed(&milestones))
    };
    let offer = match told.trial_end_on {
        Some(end) => format!(
            "Your trial runs until {}. Would 15 minutes before then help to plan what comes after?",
            end.format("%A, %-d %B")
        ),
        None => "Would 15 minutes this week help to get more out of it?".to_owned(),
    };
    format!("{greeting}\n\n{seen} {offer}\n\n{}", first_name(told.signature))
}

fn milestones(told: &Told<'_>) -> Vec<String> {
    let mut said = Vec::new();
    let installed = told.events.iter().find(|event| is_install(&event.key));
    match installed {
        Some(event) if !event.feature.is_empty() => {
            said.push(format!("connected {}", in_words(&event.feature)));
        }
        Some(_) => said.push("connected an integration".to_owned()),
        None if count(told.fields, "integration_installs_30d") > 0 => {
            said.push("connected an integration".to_owned());
        }
        None => {}
    }
    let limits = count(told.fields, "usage_limit_hits_30d");
    if limits > 0 {
        said.push(format!("reached a usage limit {} this month", times(limits)));
    }
    let joined =
        count(told.fields, "invites_accepted_7d").max(count(told.fields, "seat_growth_30d"));
    if joined > 0 {
        said.push(format!("welcomed {}", people(joined)));
    }
    said
}

fn is_install(key: &str) -> bool {
    key.contains("integration") && !key.contains("uninstall")
}

fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}

fn times(count: i64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn people(count: i64) -> String {
    if count == 1 { "a new teammate".to_owned() } else { format!("{count} new teammates") }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn it_names_what_they_did() {
        let events = [KeyEvent {
            at: DateTime::UNIX_EPOCH,
            key: "integration_installed".to_owned(),
            label: "Installed an integration".to_owned(),
            feature: "salesforce".to_owned(),
            who: "Sam".to_owned(),
        }];
        let mut fields = Fields::new();
        fields.set("usage_limit_hits_30d", 2);
        fields.set("invites_accepted_7d", 3);
        fields.set("pricing_page_views_7d", 5);
        let text = opener(&Told {
            greet: Some("Sam Lee"),
            team: "Acme",
            events: &events,
            fields: &fields,
            trial_end_on: NaiveDate::from_ymd_opt(2026, 11, 27),
            signature: "Mia Ray",
        });
        assert_eq!(
            text,
            "Hi Sam,\n\nI saw that the team at Acme connected Salesforce, reached a usage limit twice \
             this month and welcomed 3 new teammates. Your trial runs until Friday, 27 November. \
             Would 15 minutes before then help to plan what comes after?\n\nMia"
        );
        assert!(!text.contains("pric"));
    }

    #[test]
    fn an_address_is_no_name() {
        let fields = Fields::new();
        let told = Told {
            greet: Some("sam@acme.example"),
            team: "Acme",
            events: &[],
            fields: &fields,
            trial_end_on: None,
            signature: "Mia",
        };
        assert!(opener(&told).starts_with("Hello,\n\nI saw that the team at Acme has been"));
    }
}
