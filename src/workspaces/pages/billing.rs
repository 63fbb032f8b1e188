//! `GET /workspaces/{id}/billing`: what the workspace pays, since when, and how Ripen knows.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Months, NaiveDate};

use super::record::{self, Record, Tab};
use crate::app::App;
use crate::error::Result;
use crate::subscriptions::money::{self, Amount};
use crate::subscriptions::store;
use crate::subscriptions::terms::{Change, Origin, Standing, Terms, is_paying};
use crate::subscriptions::timeline;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::Steps;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::Shell;
use crate::workspaces::store_list;
use crate::workspaces::store_page;

/// So many changes are listed.
const CHANGES: usize = 100;
/// The chart reaches so far back.
const SPAN: Months = Months::new(24);

/// A subscription as the table shows it.
struct Plan {
    name: String,
    id: String,
    status: String,
    is_open: bool,
    is_counted: bool,
    mrr: String,
    period: String,
    seats: String,
    trial: String,
    started: Option<Moment>,
    ended: Option<Moment>,
    renewal: String,
    flags: Vec<&'static str>,
    origin: &'static str,
    said: Moment,
}

/// A change as the table shows it.
struct ChangeLine {
    at: Moment,
    plan: String,
    what: Vec<String>,
    origin: &'static str,
}

#[derive(Template)]
#[template(path = "workspaces/billing.html")]
struct BillingPage {
    shell: Shell,
    record: Record,
    mrr: String,
    bought: String,
    used: String,
    trial: Option<String>,
    renewal: String,
    chart: Option<Steps>,
    plans: Vec<Plan>,
    changes: Vec<ChangeLine>,
}

/// The billing tab.
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn billing(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id = record::id(&path)?;
    let (head, members, all, changes) = app
        .db
        .read_web(move |conn| {
            let head = store_page::head(conn, id)?;
            let all = store::of_workspace(conn, id)?;
            let ids: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
            Ok((head, store_list::owners(conn)?, all, store::changes(conn, &ids)?))
        })
        .await?;
    let today = me.now.date_naive();
    let counted = timeline::counted(&all);
    let open: Vec<&Standing> =
        counted.iter().filter(|one| is_open(one.terms.status)).copied().collect();
    let bought: i64 = open.iter().filter_map(|one| one.terms.seats_purchased).map(i64::from).sum();
    let mut plans: Vec<Plan> =
        all.iter().map(|one| plan(one, counted.iter().any(|c| c.id == one.id), &me)).collect();
    // What counts stands before what a billing system knows better.
    plans.sort_by_key(|plan| !plan.is_counted);
    let page = BillingPage {
        shell: record::shell(&me, &head, Tab::Billing),
        mrr: revenue_words(&counted),
        bought: if bought > 0 { format::grouped(bought) } else { "not told".to_owned() },
        used: format!(
            "{}, {} active this week",
            format::count(head.members, "member", "members"),
            head.wau.unwrap_or(0)
        ),
        trial: trial(&open, today),
        renewal: renewal(&open, today),
        chart: chart(&counted, &changes, today),
        plans,
        changes: lines(&all, &changes, &me),
        record: Record::new(&head, &me, members, Tab::Billing),
    };
    answer::page(&page)
}

fn is_open(status: &str) -> bool {
    is_paying(status) || matches!(status, "trialing" | "unpaid" | "paused")
}

fn money(cents: i64, currency: &str) -> String {
    format::money(cents, &currency.to_uppercase())
}

fn revenue_words(counted: &[&Standing]) -> String {
    let mut sums = BTreeMap::<&str, i64>::new();
    for one in counted.iter().filter(|one| is_paying(one.terms.status)) {
        *sums.entry(&one.terms.currency).or_default() += one.terms.mrr_cents;
    }
    let words: Vec<String> = sums.iter().map(|(currency, cents)| money(*cents, currency)).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" + ") }
}

/// The trial's clock, while nothing is paid for.
fn trial(open: &[&Standing], today: NaiveDate) -> Option<String> {
    if open.iter().any(|one| is_paying(one.terms.status)) {
        return None;
    }
    let trials = open.iter().filter(|one| one.terms.status == "trialing");
    let end = trials.filter_map(|one| one.terms.trial_end_on).min()?;
    let left = (end - today).num_days();
    Some(match left {
        0 => "ends today".to_owned(),
        1 => format!("ends tomorrow, {}", format::day(end, today)),
        _ if left > 0 => format!("ends in {left} days, {}", format::day(end, today)),
        _ => format!("ended {}", format::day(end, today)),
    })
}

fn renewal(open: &[&Standing], today: NaiveDate) -> String {
    let first = |day: fn(&Terms) -> Option<NaiveDate>| {
        open.iter().filter_map(|one| day(&one.terms)).filter(|day| *day >= today).min()
    };
    match (first(|terms| terms.renewal_on), first(|terms| terms.ends_on)) {
        (Some(renewal), None) => format::day(renewal, today),
        (Some(renewal), Some(end)) => {
            format!("{}; one ends {}", format::day(renewal, today), format::day(end, today))
        }
        (None, Some(end)) => format!("no, ends {}", format::day(end, today)),
        (None, None) => "none".to_owned(),
    }
}

fn amount(one: &Standing) -> Amount<'_> {
    Amount { currency: &one.terms.currency, minor: one.terms.mrr_cents }
}

/// Revenue in the currency that speaks for what is paid now; where nothing is, for all there was.
fn chart(
    counted: &[&Standing],
    changes: &BTreeMap<String, Vec<Change>>,
    today: NaiveDate,
) -> Option<Steps> {
    let paid = counted.iter().filter(|one| is_paying(one.terms.status));
    let currency = money::main_currency(paid.map(|one| amount(one)))
        .or_else(|| money::main_currency(counted.iter().map(|one| amount(one))))?;
    let own: Vec<&[Change]> = counted
        .iter()
        .map(|one| changes.get(&one.id).map(Vec::as_slice).unwrap_or_default())
        .collect();
    let is_alone = own.iter().flat_map(|all| all.iter()).all(|c| c.terms.currency == currency);
    let mut days = timeline::revenue(&own, currency);
    if days.iter().all(|(_, cents)| *cents == 0) {
        return None;
    }
    let from = today.checked_sub_months(SPAN).unwrap_or(today);
    let before = days.partition_point(|(on, _)| *on < from);
    if let Some(known) = before.checked_sub(1) {
        days.drain(..known);
        if let Some(first) = days.first_mut() {
            first.0 = from;
        }
    }
    let note = if is_alone {
        "before discounts".to_owned()
    } else {
        format!("before discounts; in {} alone", currency.to_uppercase())
    };
    let words = ("Monthly recurring revenue", note.as_str(), "MRR");
    Some(Steps::new("revenue", words, &days, today, |cents| money(cents, currency)))
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Traits => "traits of group()",
        Origin::Api => "the API",
        Origin::Stripe => "Stripe",
    }
}

fn name(one: &Standing) -> String {
    one.terms.plan.as_deref().map_or_else(|| one.id.clone(), in_words)
}

fn flag(key: &str) -> Option<&'static str> {
    Some(match key {
        "tiered" => "without tiered prices",
        "metered" => "without what is billed by use",
        "more_items" => "more than 10 items: the rest is not counted",
        "free" => "every price is 0: free",
        "collection_paused" => "collection is paused: nothing is counted until it goes on",
        "discounted" => "before a discount",
        "other_currency" => "without a price in another currency",
        "odd_amount" => "without an amount that could not be read",
        _ => return None,
    })
}

fn plan(one: &Standing, is_counted: bool, me: &Viewer) -> Plan {
    let today = me.now.date_naive();
    let moment = |at| format::moment(at, me.now, me.zone);
    let day = |day| format::day(day, today);
    let terms = &one.terms;
    Plan {
        name: name(one),
        id: one.id.clone(),
        status: in_words(terms.status),
        is_open: is_open(terms.status),
        is_counted,
        mrr: money(terms.mrr_cents, &terms.currency),
        period: match terms.billing_period {
            Some("year") => "yearly".to_owned(),
            Some("month") => "monthly".to_owned(),
            _ => String::new(),
        },
        seats: terms.seats_purchased.map(|n| format::grouped(i64::from(n))).unwrap_or_default(),
        trial: match (terms.trial_start_on, terms.trial_end_on) {
            (Some(from), Some(to)) => format!("{} to {}", day(from), day(to)),
            (None, Some(to)) => format!("to {}", day(to)),
            _ => String::new(),
        },
        started: terms.started_at.map(moment),
        ended: terms.canceled_at.map(moment),
        renewal: match (terms.ends_on, terms.renewal_on) {
            (Some(end), _) => format!("ends {}", day(end)),
            (None, Some(renewal)) => day(renewal),
            (None, None) => String::new(),
        },
        flags: terms.flags.iter().filter_map(|key| flag(key)).collect(),
        origin: origin(one.origin),
        said: moment(one.said_at),
    }
}

fn lines(
    all: &[Standing],
    changes: &BTreeMap<String, Vec<Change>>,
    me: &Viewer,
) -> Vec<ChangeLine> {
    let today = me.now.date_naive();
    let mut steps: Vec<(&Standing, timeline::Step<'_>)> = Vec::new();
    for one in all {
        let own = changes.get(&one.id).map(Vec::as_slice).unwrap_or_default();
        steps.extend(timeline::steps(own).into_iter().map(|step| (one, step)));
    }
    steps.sort_by_key(|(_, step)| std::cmp::Reverse(step.at));
    steps
        .into_iter()
        .take(CHANGES)
        .map(|(one, step)| ChangeLine {
            at: format::moment(step.at, me.now, me.zone),
            plan: step.after.plan.as_deref().map_or_else(|| name(one), in_words),
            what: what(step.before, step.after, today),
            origin: origin(step.origin),
        })
        .collect()
}

/// A change in words, one for each thing that changed.
fn what(before: Option<&Terms>, after: &Terms, today: NaiveDate) -> Vec<String> {
    let Some(before) = before else {
        let mut words = vec![in_words(after.status)];
        if after.mrr_cents > 0 {
            words.push(money(after.mrr_cents, &after.currency));
        }
        words.extend(
            after.seats_purchased.map(|seats| format::count(i64::from(seats), "seat", "seats")),
        );
        return words;
    };
    let mut words = Vec::new();
    let mut changed = |what: &str, old: String, new: String| {
        if old != new {
            words.push(format!("{what}: {old} → {new}"));
        }
    };
    let plan = |terms: &Terms| terms.plan.as_deref().map_or_else(|| "none".to_owned(), in_words);
    let number =
        |n: Option<i32>| n.map_or_else(|| "not told".to_owned(), |n| format::grouped(i64::from(n)));
    let day = |day: Option<NaiveDate>| {
        day.map_or_else(|| "none".to_owned(), |day| format::day(day, today))
    };
    let period = |terms: &Terms| terms.billing_period.unwrap_or("none").to_owned();
    changed("Status", in_words(before.status), in_words(after.status));
    changed("Plan", plan(before), plan(after));
    changed(
        "MRR",
        money(before.mrr_cents, &before.currency),
        money(after.mrr_cents, &after.currency),
    );
    changed("Seats", number(before.seats_purchased), number(after.seats_purchased));
    changed("Billed by the", period(before), period(after));
    changed("Trial ends", day(before.trial_end_on), day(after.trial_end_on));
    changed("Ends", day(before.ends_on), day(after.ends_on));
    words
}
