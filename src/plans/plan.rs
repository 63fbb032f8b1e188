//! The tier that the name of a plan means. Pure.
//!
//! Names are read by whole words, never by parts of words: "Industrial" holds no trial and "Nonprofit" no
//! pro. A name that is an entry of a list, word for word, is of that list. Else what is not paid goes first,
//! then a trial, then free, enterprise and pro; a word after "no", "not" or "non" does not count, and of a
//! paid one it says that the plan is not paid. A name without any known word is of an unknown tier.

use serde::{Deserialize, Serialize};

use crate::error::FieldErrors;

/// The tiers, as the field `plan_tier` has them, with the words people read.
pub const TIERS: [(&str, &str); 5] = [
    ("free", "Free"),
    ("trial", "Trial"),
    ("pro", "Pro"),
    ("enterprise", "Enterprise"),
    ("unknown", "Unknown"),
];

/// Most entries of a list.
const MOST_ENTRIES: usize = 200;
/// Most characters of an entry.
const LONGEST_ENTRY: usize = 80;

/// What the name of a plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// A key of [`TIERS`].
    pub tier: &'static str,
    /// Whether it says that something paid was cancelled.
    pub is_cancelled: bool,
}

/// The lists of words and phrases. An absent list of a stored document is an empty one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanList {
    /// Says that nothing is paid, whatever else the name holds; the tier is then free.
    pub not_paid: Vec<String>,
    /// A trial, of whatever plan.
    pub trial: Vec<String>,
    /// Free plans.
    pub free: Vec<String>,
    /// Paid plans below enterprise.
    pub pro: Vec<String>,
    /// Enterprise plans.
    pub enterprise: Vec<String>,
}

impl Default for PlanList {
    fn default() -> Self {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            not_paid: all(&[
                "unpaid",
                "nonpaid",
                "nonpaying",
                "cancelled",
                "canceled",
                "churned",
                "expired",
                "lapsed",
                "ended",
                "terminated",
                "inactive",
                "deactivated",
                "unsubscribed",
                "downgraded",
                "former",
                "ex",
                "previous",
                "none",
            ]),
            trial: all(&[
                "trial",
                "trials",
                "trialing",
                "trialling",
                "evaluation",
                "eval",
                "poc",
                "proof of concept",
            ]),
            free: all(&["free", "freemium", "hobby", "community", "open source", "oss", "gratis"]),
            pro: all(&[
                "pro",
                "professional",
                "team",
                "teams",
                "starter",
                "business",
                "premium",
                "growth",
                "plus",
                "standard",
                "paid",
                "paying",
                "scale",
            ]),
            enterprise: all(&["enterprise", "enterprises"]),
        }
    }
}

/// Words that deny the one after them.
const NEGATORS: [&str; 6] = ["no", "not", "non", "un", "without", "never"];
/// After a negator these say that nothing is paid, as the words of paid plans do.
const SUBSCRIBED: [&str; 8] =
    ["plan", "plans", "subscription", "subscribed", "active", "billing", "payment", "customer"];
/// Of the words for what is not paid, those that end something.
const ENDINGS: [&str; 10] = [
    "cancelled",
    "canceled",
    "churned",
    "former",
    "ex",
    "previous",
    "lapsed",
    "terminated",
    "ended",
    "expired",
];
/// Those of them that need no word of a paid plan beside them.
const CANCELLATIONS: [&str; 3] = ["cancelled", "canceled", "churned"];

impl PlanList {
    /// What the name of a plan says.
    #[must_use]
    pub fn read(&self, name: &str) -> Plan {
        let words = words(name);
        let plain = |tier| Plan { tier, is_cancelled: false };
        if words.is_empty() {
            return plain("unknown");
        }
        let is_entry = |list: &[String]| list.iter().any(|entry| self::words(entry) == words);
        let whole = self.tiers().into_iter().find(|(_, list)| is_entry(list));
        if let Some((tier, _)) = whole {
            return plain(tier);
        }
        let found = |list: &[String]| self.occurs(&words, list);
        let (denied, is_paid) = (found(&self.not_paid), found(&self.pro) | found(&self.enterprise));
        let is_trial = found(&self.trial).affirmed;
        let unsubscribed = is_paid.denied
            || words.windows(2).any(|pair| match pair {
                [first, second] => is_one_of(first, &NEGATORS) && is_one_of(second, &SUBSCRIBED),
                _ => false,
            });
        if denied.affirmed || unsubscribed {
            let ends = |endings: &[&str]| words.iter().any(|word| is_one_of(word, endings));
            let named = is_paid.affirmed && ends(&ENDINGS);
            let is_cancelled = denied.affirmed
                && !is_trial
                && (named || ends(&CANCELLATIONS) && !found(&self.free).affirmed);
            return Plan { tier: "free", is_cancelled };
        }
        if is_trial {
            return plain("trial");
        }
        let rest = [("free", &self.free), ("enterprise", &self.enterprise), ("pro", &self.pro)];
        let tier = rest.into_iter().find(|(_, list)| found(list).affirmed);
        plain(tier.map_or("unknown", |(tier, _)| tier))
    }

    fn tiers(&self) -> [(&'static str, &[String]); 4] {
        [
            ("trial", &self.trial),
            ("free", &self.free),
            ("enterprise", &self.enterprise),
            ("pro", &self.pro),
        ]
    }

    /// Whether entries of a list are in the name, plainly or after a word that denies them.
    fn occurs(&self, name: &[String], list: &[String]) -> Occurs {
        let mut occurs = Occurs::default();
        for entry in list {
            let entry = words(entry);
            if entry.is_empty() {
                continue;
            }
            for (place, _) in
                name.windows(entry.len()).enumerate().filter(|(_, part)| *part == entry)
            {
                let before = place.checked_sub(1).and_then(|before| name.get(before));
                if before.is_some_and(|word| is_one_of(word, &NEGATORS)) {
                    occurs.denied = true;
                } else {
                    occurs.affirmed = true;
                }
            }
        }
        occurs
    }

    /// Reads the lists of a form, one entry a line or between commas.
    ///
    /// # Errors
    /// Messages at the fields of the form.
    pub fn of_form(field: impl Fn(&str) -> String) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut taken: Vec<(Vec<String>, &'static str)> = Vec::new();
        let mut list = |name: &'static str| -> Vec<String> {
            let mut entries: Vec<String> = Vec::new();
            for entry in field(name).split([',', '\n', '\r']) {
                let entry = entry.trim().to_lowercase();
                let words = words(&entry);
                if entry.is_empty() {
                    continue;
                }
                let problem = if words.is_empty() {
                    Some(format!("\"{entry}\" has no letter and no digit. Remove it."))
                } else if entry.chars().count() > LONGEST_ENTRY {
                    Some(format!(
                        "\"{entry}\" is too long. Use {LONGEST_ENTRY} characters at most."
                    ))
                } else {
                    let other = taken.iter().find(|(known, of)| *known == words && *of != name);
                    other.map(|(_, of)| {
                        format!("\"{entry}\" is also in the list {}. Keep it in one.", label(of))
                    })
                };
                if let Some(problem) = problem {
                    errors.entry(name.to_owned()).or_default().push(problem);
                } else if !entries.contains(&entry) {
                    taken.push((words, name));
                    entries.push(entry);
                }
            }
            if entries.len() > MOST_ENTRIES {
                let text = format!("These are too many. Use {MOST_ENTRIES} at most.");
                errors.entry(name.to_owned()).or_default().push(text);
            }
            entries
        };
        let read = Self {
            not_paid: list("not_paid"),
            trial: list("trial"),
            free: list("free"),
            pro: list("pro"),
            enterprise: list("enterprise"),
        };
        if errors.is_empty() { Ok(read) } else { Err(errors) }
    }
}

/// The name of a list on the page.
#[must_use]
pub fn label(list: &str) -> &'static str {
    match list {
        "not_paid" => "Not paid",
        "trial" => "Trial",
        "free" => "Free",
        "pro" => "Pro",
        _ => "Enterprise",
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Occurs {
    affirmed: bool,
    denied: bool,
}

impl std::ops::BitOr for Occurs {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self { affirmed: self.affirmed || other.affirmed, denied: self.denied || other.denied }
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.contains(&word)
}

/// The words of a name in small letters: cut at whatever is no letter and no digit, between letters and
/// digits, and where a capital letter begins a word ("EnterpriseTrial", "PROTrial").
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(500).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| letters.get(before));
        let begins = before.is_some_and(|before| {
            let next_is_small = letters.get(place + 1).is_some_and(|next| next.is_lowercase());
            before.is_numeric() != letter.is_numeric()
                || (before.is_lowercase() && letter.is_uppercase())
                || (before.is_uppercase() && letter.is_uppercase() && next_is_small)
        });
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
