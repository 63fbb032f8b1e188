//! How a subscription stands and stood: a function of the set of words about it, whatever the order in
//! which they came. Pure.
//!
//! There are two sorts of words. An event of Stripe's says everything from its moment on; what a record
//! (by the API, a file, a signed event) says holds for the fields that it names. Of two words about a
//! field the newer one holds; of one moment Stripe's; of two records of one moment the greater JSON text.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::terms::{Change, Origin, Row, Standing, Terms, nearest, period_named, status_named};
use crate::ids::WorkspaceId;
use crate::ingest::traits::{number_of, time_of};
use crate::web::format;

/// What a record says, field by field, as `input` has read it. Null clears a field; an absent one
/// is not spoken of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said(pub Map<String, Value>);

impl Said {
    /// Adds what another record of the same moment says; tells whether that changed anything.
    fn join(&mut self, other: &Self) -> bool {
        let rank = |value: &Value| (!value.is_null()).then(|| value.to_string());
        let mut changed = false;
        for (name, value) in &other.0 {
            if self.0.get(name).is_none_or(|known| rank(value) > rank(known)) {
                self.0.insert(name.clone(), value.clone());
                changed = true;
            }
        }
        changed
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nobody knew the subscription.
    New,
    /// It stands otherwise than before.
    Changed,
    /// It stands as it stood.
    Same,
    /// Newer words are known: this one is history, and changed nothing of today.
    Older,
}

/// Whose a subscription is by Stripe, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The workspace that Stripe's metadata, a person's mapping or a trait name: goes before what
    /// records say.
    pub workspace: Option<WorkspaceId>,
    /// The workspace that the metadata name and nobody has heard of: goes after.
    pub may_come: Option<WorkspaceId>,
    /// Who pays.
    pub customer: Option<String>,
}

/// All that is known about one subscription.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// What records said, by their moment.
    pub words: BTreeMap<DateTime<Utc>, (WorkspaceId, Said)>,
    /// Stripe's events, oldest first.
    pub stripe: Vec<Change>,
    /// Whose it is by Stripe.
    pub claimed: Option<Claimed>,
}

impl Agreement {
    /// Hears a record.
    pub fn hear(&mut self, row: &Row) -> Written {
        let is_new = self.words.is_empty() && self.stripe.is_empty();
        let newest = self.newest();
        let before = self.outlook(&row.id).standing;
        let workspace = WorkspaceId::of(&row.workspace);
        let (known, said) =
            self.words.entry(row.said_at).or_insert_with(|| (workspace, Said::default()));
        *known = workspace.max(*known);
        said.join(&row.said);
        let after = self.outlook(&row.id).standing;
        let shown = |one: &Option<Standing>| one.as_ref().map(|s| (s.workspace, s.terms.clone()));
        if is_new {
            Written::New
        } else if shown(&before) != shown(&after) {
            Written::Changed
        } else if newest.is_some_and(|newest| newest > row.said_at) {
            Written::Older
        } else {
            Written::Same
        }
    }

    /// The moment of the newest word.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        let word = self.words.last_key_value().map(|(at, _)| *at);
        word.max(self.stripe.last().map(|change| change.at))
    }

    /// The workspace that the newest record names.
    fn named(&self) -> Option<WorkspaceId> {
        self.words.last_key_value().map(|(_, (workspace, _))| *workspace)
    }

    /// The workspace, if anybody knows it.
    #[must_use]
    pub fn workspace(&self) -> Option<WorkspaceId> {
        let claimed = self.claimed.as_ref();
        claimed
            .and_then(|claimed| claimed.workspace)
            .or_else(|| self.named())
            .or_else(|| claimed?.may_come)
    }

    /// What follows from all words. Nothing, as long as nobody has said the status.
    #[must_use]
    pub fn outlook(&self, id: &str) -> Outlook {
        let mut state = State::default();
        let mut changes: Vec<Change> = Vec::new();
        let mut words = self.words.iter().peekable();
        let mut last = None;
        for stripe in &self.stripe {
            while let Some((at, (_, said))) = words.next_if(|(at, _)| **at <= stripe.at) {
                state.hear(said);
                changes.extend(state.change(id, *at, changes.last()));
            }
            state = State::of(&stripe.terms);
            last = Some((stripe.at, Origin::Stripe));
            changes.push(stripe.clone());
        }
        for (at, (_, said)) in words {
            state.hear(said);
            last = Some((*at, Origin::Api));
            changes.extend(state.change(id, *at, changes.last()));
        }
        let standing = || {
            let ((said_at, origin), mut terms) = (last?, state.terms()?);
            if let Some(claimed) = &self.claimed {
                terms.customer_id.clone_from(&claimed.customer);
            }
            Some(Standing {
                id: id.to_owned(),
                workspace: self.workspace()?,
                terms,
                origin,
                said_at,
            })
        };
        Outlook { standing: standing(), changes }
    }
}

/// What a subscription is, and what it was from which moment on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// How it stands; none without a status or a workspace.
    pub standing: Option<Standing>,
    /// Its dated rows, oldest first: all events of Stripe's, and the records that changed something.
    pub changes: Vec<Change>,
}

/// Money before the currency is settled.
#[derive(Clone, Copy, Debug)]
enum Amount {
    Minor(i64),
    Major(f64),
}

/// A subscription on the way from word to word.
#[derive(Debug)]
struct State {
    status: Option<&'static str>,
    amount: Amount,
    terms: Terms,
}

impl Default for State {
    fn default() -> Self {
        Self { status: None, amount: Amount::Minor(0), terms: Terms::new("incomplete") }
    }
}

impl State {
    fn of(terms: &Terms) -> Self {
        let terms = terms.clone();
        Self { status: Some(terms.status), amount: Amount::Minor(terms.mrr_cents), terms }
    }

    fn hear(&mut self, said: &Said) {
        let terms = &mut self.terms;
        for (name, value) in &said.0 {
            let text = || value.as_str().map(str::to_owned);
            let day = || value.as_str()?.parse::<NaiveDate>().ok();
            match name.as_str() {
                "status" => self.status = value.as_str().and_then(status_named).or(self.status),
                "plan" => terms.plan = text(),
                "billing_period" => {
                    terms.billing_period = value.as_str().and_then(period_named);
                }
                "currency" => terms.currency = text().unwrap_or_else(|| "usd".to_owned()),
                "seats_purchased" => {
                    terms.seats_purchased =
                        value.as_i64().and_then(|seats| i32::try_from(seats).ok());
                }
                "trial_start_on" => terms.trial_start_on = day(),
                "trial_end_on" => terms.trial_end_on = day(),
                "started_at" => terms.started_at = time_of(value),
                "canceled_at" => terms.canceled_at = time_of(value),
                "ends_on" => terms.ends_on = day(),
                "renewal_on" => terms.renewal_on = day(),
                "customer_id" => terms.customer_id = text(),
                _ => {}
            }
        }
        let (minor, major) = (said.0.get("mrr_cents"), said.0.get("mrr"));
        if minor.is_some() || major.is_some() {
            let minor = minor.and_then(number_of).map(|cents| Amount::Minor(nearest(cents)));
            let major = || major.and_then(number_of).map(Amount::Major);
            self.amount = minor.or_else(major).unwrap_or(Amount::Minor(0));
            // What Stripe's sum left out is no matter of a sum that somebody else made.
            terms.flags.clear();
        }
    }

    fn terms(&self) -> Option<Terms> {
        let mrr_cents = match self.amount {
            Amount::Minor(cents) => cents,
            Amount::Major(amount) => {
                let unit = f64::from(10_u32.pow(format::decimals(&self.terms.currency)));
                nearest(amount * unit)
            }
        };
        Some(Terms { status: self.status?, mrr_cents, ..self.terms.clone() })
    }

    /// The dated row of a record, if it changed something of the agreement. Who pays is no part of that.
    fn change(&self, id: &str, at: DateTime<Utc>, before: Option<&Change>) -> Option<Change> {
        let terms = Terms { customer_id: None, ..self.terms()? };
        let is_same = before
            .is_some_and(|before| Terms { customer_id: None, ..before.terms.clone() } == terms);
        (!is_same).then(|| Change {
            id: id.to_owned(),
            at,
            key: String::new(),
            place: 0,
            terms,
            origin: Origin::Api,
        })
    }
}

/// Before anything that Ripen knows.
#[must_use]
pub fn before_all() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive()
}

/// The first day for which the first dated row speaks: the day its dates name, or all days.
#[must_use]
pub fn first_day(first: &Change) -> NaiveDate {
    first.terms.began_on().map_or_else(before_all, |began| began.min(first.at.date_naive()))
}

/// The first day that may look otherwise. A dated row holds from its own day on; the first one also
/// speaks for the days before it, as far as its dates reach. `None`: they say the same.
#[must_use]
pub fn differs_since(before: &[Change], after: &[Change]) -> Option<NaiveDate> {
    let same =
        before.iter().zip(after).take_while(|(a, b)| (a.at, &a.terms) == (b.at, &b.terms)).count();
    let day = |changes: &[Change]| {
        let change = changes.get(same)?;
        Some(if same == 0 { first_day(change) } else { change.at.date_naive() })
    };
    day(before).into_iter().chain(day(after)).min()
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
