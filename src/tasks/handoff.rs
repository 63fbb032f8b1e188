//! What a task tells the rep: whom to call and why, in a form that fits on one screen.
//!
//! Pure: everything is read beforehand ([`Knowledge`]), the payload is stored with the task and
//! stays as it was when the task was made. Source: routing.md, Handoff payload.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::opener;
use crate::usage::signal::{Fields, Value};

/// How many key events a handoff shows.
pub const EVENTS: usize = 5;
/// How many score reasons it shows.
pub const REASONS: usize = 3;
/// How many people it names.
pub const PEOPLE: usize = 8;

/// A key event, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEvent {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The catalog's key.
    pub key: String,
    /// Its label.
    pub label: String,
    /// The feature it was about; empty when none.
    #[serde(default)]
    pub feature: String,
    /// Who did it: a name, an e-mail or an id of the product.
    pub who: String,
}

/// Somebody in the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// A name, an e-mail or an id of the product.
    pub name: String,
    /// Where to write.
    pub email: Option<String>,
    /// What they are at work.
    pub job_title: Option<String>,
    /// admin, member, viewer.
    pub role: Option<String>,
    /// champion, builder, evaluator, economic_buyer.
    pub persona: Option<String>,
    /// When they last did anything.
    pub last_active_at: Option<DateTime<Utc>>,
    /// The one whose use made the score.
    #[serde(default)]
    pub is_lead: bool,
    /// Nobody calls them a champion, but what they do suggests it.
    #[serde(default)]
    pub is_suggested: bool,
}

impl Person {
    /// Whether this is an admin or a champion, as the score counts them.
    #[must_use]
    pub fn is_buyer(&self) -> bool {
        self.role.as_deref() == Some("admin")
            || self.persona.as_deref() == Some("champion")
            || self.is_suggested
    }

    /// Whether they can decide or speak for it.
    fn decides(&self) -> bool {
        self.is_buyer() || self.persona.as_deref() == Some("economic_buyer")
    }

    /// Why this person: "admin, champion"; empty for an ordinary member.
    #[must_use]
    pub fn why(&self) -> String {
        let role = self.role.as_deref().filter(|role| *role == "admin");
        let persona = match self.persona.as_deref() {
            Some("economic_buyer") => Some("economic buyer"),
            other => other,
        };
        let suggested = self.is_suggested.then_some("champion, suggested");
        role.into_iter().chain(persona).chain(suggested).collect::<Vec<_>>().join(", ")
    }
}

/// All that is known when a task is made.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The user-given name.
    pub workspace: String,
    /// The product's own id.
    pub external_id: String,
    /// The account's name.
    pub account: Option<String>,
    /// Hundredths.
    pub score: i32,
    /// The stage's key.
    pub stage: String,
    /// Reasons of the score, best first.
    pub reasons: Vec<String>,
    /// What the product would like to happen next.
    pub next_best_action: Option<String>,
    /// Key events, newest first.
    pub events: Vec<KeyEvent>,
    /// People, in any order.
    pub people: Vec<Person>,
    /// Features used in the last 30 days.
    pub features: Vec<String>,
    /// The trial's first day.
    pub trial_start_on: Option<NaiveDate>,
    /// The signals of that day.
    pub fields: Fields,
}

/// What the task keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handoff {
    /// For whose work this is: sdr, ae or csm. The cool-down goes by it.
    pub play: String,
    /// The rule that sent it, or who did.
    pub because: String,
    /// The user-given name.
    pub workspace: String,
    /// The account's name.
    pub account: Option<String>,
    /// Hundredths.
    pub score: i32,
    /// The stage's key.
    pub stage: String,
    /// At most three, best first.
    pub reasons: Vec<String>,
    /// At most five, newest first.
    pub events: Vec<KeyEvent>,
    /// Admins, champions and economic buyers; without any, the most recently active.
    pub people: Vec<Person>,
    /// Whether there is an admin or a champion, suggested ones included.
    pub has_buyer: bool,
    /// The first lines of a mail.
    pub opener: String,
    /// People active in the last 7 days.
    pub active_users: i64,
    /// Features used in the last 30 days.
    pub features: Vec<String>,
    /// The trial's first day.
    pub trial_start_on: Option<NaiveDate>,
    /// The trial's last day.
    pub trial_end_on: Option<NaiveDate>,
    /// 0 to 100; unknown where the catalog has no milestones.
    pub activation_percent: Option<i64>,
    /// What to do, in a sentence or two.
    pub approach: String,
}

/// Why and for whom the task is made.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// sdr, ae or csm.
    pub play: &'a str,
    /// "Rule Hot PQL" or "Assigned by Ana".
    pub because: String,
    /// The assignee's first name stands under the mail.
    pub assignee: &'a str,
}

/// Makes the payload.
#[must_use]
pub fn handoff(mut known: Knowledge, occasion: &Occasion<'_>) -> Handoff {
    known.events.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
    known.reasons.truncate(REASONS);
    let (people, has_buyer) = whom(std::mem::take(&mut known.people));
    let trial_end_on = day(known.fields.get("trial_end_date"));
    let opener = opener::opener(&opener::Told {
        greet: people.first().map(|person| person.name.as_str()),
        team: known.account.as_deref().unwrap_or(&known.workspace),
        events: &known.events,
        fields: &known.fields,
        trial_end_on,
        signature: occasion.assignee,
    });
    let approach = approach(&known, occasion.play, people.first(), has_buyer, trial_end_on);
    known.events.truncate(EVENTS);
    Handoff {
        play: occasion.play.to_owned(),
        because: occasion.because.clone(),
        opener,
        approach,
        has_buyer,
        people,
        active_users: count(&known.fields, "wau"),
        activation_percent: whole(known.fields.get("activation_percent")),
        trial_end_on,
        workspace: known.workspace,
        account: known.account,
        score: known.score,
        stage: known.stage,
        reasons: known.reasons,
        events: known.events,
        features: known.features,
        trial_start_on: known.trial_start_on,
    }
}

/// Who decides first, the lead user before the others, then the most recently active.
fn whom(mut people: Vec<Person>) -> (Vec<Person>, bool) {
    people.sort_by(|a, b| {
        (b.decides(), b.is_lead, b.last_active_at)
            .cmp(&(a.decides(), a.is_lead, a.last_active_at))
            .then_with(|| a.name.cmp(&b.name))
    });
    let has_buyer = people.iter().any(Person::is_buyer);
    if has_buyer {
        people.retain(Person::decides);
        people.truncate(PEOPLE);
    } else {
        people.truncate(REASONS);
    }
    (people, has_buyer)
}

/// What to do, by what stands out most.
fn approach(
    known: &Knowledge,
    play: &str,
    first: Option<&Person>,
    has_buyer: bool,
    trial_end_on: Option<NaiveDate>,
) -> String {
    let fields = &known.fields;
    let mut said = Vec::new();
    match first {
        Some(person) if has_buyer => said.push(format!("Start with {}.", person.name)),
        Some(person) => said.push(format!(
            "No admin or champion is known: ask {} who decides about tools.",
            person.name
        )),
        None => {}
    }
    if play == "csm" || fields.get("paid_status").as_text() == Some("paid") {
        let (active, seats) = (count(fields, "wau"), count(fields, "seat_count_total"));
        said.push(format!(
            "A paying customer: {active} of {seats} seats were active this week. Offer more seats or the next plan."
        ));
    } else if count(fields, "usage_limit_hits_30d") > 0 {
        said.push("Lead with the limit they hit and the plan that lifts it.".to_owned());
    } else if count(fields, "upgrade_clicks_7d") > 0 {
        said.push("They looked for the upgrade: ask what is still open.".to_owned());
    } else if count(fields, "seat_growth_30d") >= 3 {
        said.push("The team is growing: offer help with the roll-out and a team plan.".to_owned());
    }
    if let Some(end) = trial_end_on {
        said.push(format!(
            "The trial ends on {}: offer the annual plan before then.",
            end.format("%-d %B")
        ));
    }
    if said.len() < 2
        && let Some(action) = &known.next_best_action
    {
        said.push(format!("A helpful first step: {}.", action.trim_end_matches('.')));
    }
    if said.is_empty() {
        said.push("Ask what they want to achieve and offer help.".to_owned());
    }
    said.join(" ")
}

/// The whole number of a field; 0 when unknown.
#[must_use]
pub fn count(fields: &Fields, key: &str) -> i64 {
    whole(fields.get(key)).unwrap_or(0)
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Number(number) => format!("{number:.0}").parse().ok(),
        _ => None,
    }
}

fn day(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::Date(day) => Some(*day),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, role: &str, persona: Option<&str>, active: i64) -> Person {
        Person {
            name: name.to_owned(),
            email: Some(format!("{}@acme.example", name.to_lowercase())),
            job_title: None,
            role: Some(role.to_owned()),
            persona: persona.map(ToOwned::to_owned),
            last_active_at: DateTime::from_timestamp(active, 0),
            is_suggested: false,
            is_lead: false,
        }
    }

    fn event(key: &str, feature: &str, at: i64) -> KeyEvent {
        KeyEvent {
            at: DateTime::from_timestamp(at, 0).unwrap(),
            key: key.to_owned(),
            label: key.to_owned(),
            feature: feature.to_owned(),
            who: "Sam".to_owned(),
        }
    }

    fn acme() -> Knowledge {
        let mut fields = Fields::new();
        fields.set("wau", 7);
        fields.set("usage_limit_hits_30d", 2);
        fields.set("invites_accepted_7d", 3);
        fields.set("integration_installs_30d", 1);
        fields.set("trial_end_date", "2026-11-27");
        fields.set("activation_percent", 92.0);
        Knowledge {
            workspace: "Acme Engineering".to_owned(),
            account: Some("Acme".to_owned()),
            score: 8412,
            stage: "hot_pql".to_owned(),
            reasons: ["a", "b", "c", "d"].map(ToOwned::to_owned).into(),
            events: (0..7).map(|at| event("core_feature_used", "", at)).collect(),
            people: vec![
                person("Mo", "member", None, 900),
                person("Sam", "admin", Some("champion"), 500),
                person("Lee", "member", Some("champion"), 700),
            ],
            fields,
            ..Knowledge::default()
        }
    }

    fn sdr() -> Occasion<'static> {
        Occasion { play: "sdr", because: "Rule Hot PQL".to_owned(), assignee: "Mia Ray" }
    }

    #[test]
    fn it_says_whom_to_call_and_why() {
        let made = handoff(acme(), &sdr());
        let names: Vec<&str> = made.people.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Lee", "Sam"]);
        assert_eq!(made.people[1].why(), "admin, champion");
        assert_eq!(made.reasons.len(), 3);
        assert_eq!(made.events.len(), 5);
        assert_eq!(made.events[0].at.timestamp(), 6);
        assert_eq!((made.active_users, made.activation_percent), (7, Some(92)));
        assert_eq!(made.trial_end_on, NaiveDate::from_ymd_opt(2026, 11, 27));
        assert!(made.approach.starts_with("Start with Lee. Lead with the limit"));
        assert!(
            made.approach
                .ends_with("The trial ends on 27 November: offer the annual plan before then.")
        );
    }

    #[test]
    fn without_a_buyer_it_asks_for_one() {
        let mut known = acme();
        known.people.retain(|one| one.name == "Mo");
        let made = handoff(known, &sdr());
        assert!(!made.has_buyer);
        assert!(made.approach.starts_with("No admin or champion is known: ask Mo"));
    }

    #[test]
    fn an_empty_workspace_still_makes_a_task() {
        let known = Knowledge { workspace: "x".to_owned(), ..Knowledge::default() };
        let made = handoff(known, &sdr());
        assert_eq!(made.approach, "Ask what they want to achieve and offer help.");
        assert!(made.opener.starts_with("Hello,"));
        let json = serde_json::to_value(&made).unwrap();
        assert_eq!(serde_json::from_value::<Handoff>(json).unwrap(), made);
    }
}
