//! From usage days to points: one row per event rule and subject, with every step's effect.

use chrono::NaiveDate;

use super::caps;
use super::compiled::CompiledModel;
use super::engine::World;
use super::model::{Level, Per, RuleKind};
use super::points::{as_factor, hundredths};
use crate::ids::UserId;

/// What usage days say about one person, for the founder, first active days and champions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activity {
    pub user: UserId,
    /// The place among the world's members, if the person is one of them.
    pub member: Option<usize>,
    pub first_active: Option<NaiveDate>,
    /// Bit `n` is set when the person was active `n` days before `as_of`, for the last 14 days.
    pub last_14_days: u16,
    pub invites_30d: i64,
}

impl Activity {
    pub fn active_days_14d(&self) -> u32 {
        self.last_14_days.count_ones()
    }
}

/// Points of one rule for one subject: a member by place, or the workspace. Hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub rule: usize,
    pub member: Option<usize>,
    pub events: i64,
    pub days: i64,
    pub raw: i64,
    pub capped: i64,
    pub role: i64,
    pub decay: i64,
    pub net: i64,
}

/// A usage day as one rule sees it. The order of the fields but `day` is the order of the ledger.
#[derive(Clone, Copy, Debug)]
struct Entry {
    rule: usize,
    member: Option<usize>,
    day: NaiveDate,
    person: usize,
    count: i64,
}

/// Everybody who is a member or did something by `as_of`, by id.
pub(super) fn activities(
    model: &CompiledModel,
    world: &World<'_>,
    as_of: NaiveDate,
) -> Vec<Activity> {
    let mut people: Vec<Activity> = Vec::with_capacity(world.members.len());
    for (at, member) in world.members.iter().enumerate() {
        let first = member.first_active_on.filter(|first| *first <= as_of);
        people.push(Activity { first_active: first, ..nobody(member.id, Some(at)) });
    }
    people.sort_by_key(|person| person.user);
    let known = people.len();
    let mut last = None;
    for day in world.usage_until(as_of) {
        // Usage usually comes member by member, so the last one answers most rows.
        let stranger = || people.get(..known).is_some_and(|known| find(known, day.user).is_none());
        if last != Some(day.user) && stranger() {
            people.push(nobody(day.user, None));
        }
        last = Some(day.user);
    }
    if people.len() > known {
        people.sort_by_key(|person| person.user);
        people.dedup_by_key(|person| person.user);
    }
    let mut last = usize::MAX;
    for day in world.usage_until(as_of) {
        if people.get(last).is_none_or(|person| person.user != day.user) {
            last = find(&people, day.user).unwrap_or(usize::MAX);
        }
        let Some(person) = people.get_mut(last) else { continue };
        if person.first_active.is_none_or(|first| day.day < first) {
            person.first_active = Some(day.day);
        }
        let age = (as_of - day.day).num_days();
        if age < 14 {
            person.last_14_days |= 1 << age;
        }
        if age < 30 && day.event == model.invite_sent {
            person.invites_30d = person.invites_30d.saturating_add(day.count);
        }
    }
    people
}

fn nobody(user: UserId, member: Option<usize>) -> Activity {
    Activity { user, member, first_active: None, last_14_days: 0, invites_30d: 0 }
}

fn find(people: &[Activity], user: UserId) -> Option<usize> {
    people.binary_search_by_key(&user, |person| person.user).ok()
}

/// The points of all event rules, by rule, the workspace before its members.
///
/// `factors` has one role factor per member of the world. User-level rules see members only;
/// workspace-level rules pool everybody, also people who have left.
pub(super) fn grants(
    model: &CompiledModel,
    world: &World<'_>,
    people: &[Activity],
    factors: &[f64],
    as_of: NaiveDate,
) -> Vec<Grant> {
    let mut entries = entries(model, world, people, as_of);
    entries.sort_unstable_by(|a, b| {
        (a.rule, a.member, b.day, a.person).cmp(&(b.rule, b.member, a.day, b.person))
    });
    let mut scratch = Vec::new();
    entries
        .chunk_by(|a, b| a.rule == b.rule && a.member == b.member)
        .filter_map(|group| grant(model, group, factors, as_of, &mut scratch))
        .collect()
}

fn entries(
    model: &CompiledModel,
    world: &World<'_>,
    people: &[Activity],
    as_of: NaiveDate,
) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(world.usage.len());
    let mut add = |rule: usize, person: usize, day: NaiveDate, count: i64| {
        let member = people.get(person).and_then(|person| person.member);
        match (model.rules.get(rule).map(|rule| rule.level), member) {
            (Some(Level::Workspace), _) => {
                entries.push(Entry { rule, member: None, day, person, count });
            }
            (Some(Level::User), Some(_)) => {
                entries.push(Entry { rule, member, day, person, count })
            }
            _ => {}
        }
    };
    let mut last = usize::MAX;
    for day in world.usage_until(as_of).filter(|day| day.event != model.new_active) {
        let rules = model.rules_of(day.event);
        if rules.is_empty() {
            continue;
        }
        if people.get(last).is_none_or(|person| person.user != day.user) {
            last = find(people, day.user).unwrap_or(usize::MAX);
        }
        for rule in rules {
            add(*rule, last, day.day, day.count);
        }
    }
    let rules = model.rules_of(model.new_active);
    if !rules.is_empty() {
        let active =
            people.iter().enumerate().filter_map(|(at, person)| Some((person.first_active?, at)));
        let founder = active.clone().min_by(|one, other| {
            let who = |at: usize| people.get(at).map(|person| order_of(world, person));
            one.0.cmp(&other.0).then_with(|| who(one.1).cmp(&who(other.1)))
        });
        for (first, at) in active.filter(|one| Some(*one) != founder) {
            for rule in rules {
                add(*rule, at, first, 1);
            }
        }
    }
    entries
}

/// The order of people where nothing else decides: members by the product's own id, before all others.
fn order_of<'a>(world: &World<'a>, person: &Activity) -> (bool, &'a str, UserId) {
    let member = person.member.and_then(|at| world.members.get(at));
    (member.is_none(), member.map_or("", |member| &member.external_id), person.user)
}

/// One group's steps; each effect is the difference of two roundings, so that they add up to `net`,
/// which is rounded once. `None` when no day lies within the lookback.
fn grant(
    model: &CompiledModel,
    group: &[Entry],
    factors: &[f64],
    as_of: NaiveDate,
    days: &mut Vec<(NaiveDate, f64)>,
) -> Option<Grant> {
    let Entry { rule, member, .. } = *group.first()?;
    let compiled = model.rules.get(rule)?;
    let RuleKind::Event { points, per, cap, .. } = &model.model.rules.get(rule)?.kind else {
        return None;
    };
    let first_ever = group.last()?.day;
    let lookback = model.model.lookback_days;
    days.clear();
    let mut events = 0i64;
    for same_day in group.chunk_by(|a, b| a.day == b.day) {
        let Some(day) = same_day.first().map(|entry| entry.day) else { continue };
        if (as_of - day).num_days() > lookback {
            break;
        }
        let count = same_day.iter().fold(0i64, |sum, entry| sum.saturating_add(entry.count));
        let raw = match per {
            Per::Event => points * as_factor(count),
            Per::Day => *points,
            Per::UserDay => {
                let people = same_day.chunk_by(|a, b| a.person == b.person).count();
                points * as_factor(i64::try_from(people).unwrap_or(i64::MAX))
            }
            Per::Once if day == first_ever => *points,
            Per::Once => continue,
        };
        events = events.saturating_add(count);
        days.push((day, raw));
    }
    let counted = i64::try_from(days.len()).ok().filter(|days| *days > 0)?;
    let raw: f64 = days.iter().map(|(_, points)| points).sum();
    if let Some(cap) = cap {
        caps::apply(*cap, days);
    }
    let granted: f64 = days.iter().map(|(_, points)| points).sum();
    let factor = member.map_or(1.0, |member| factors.get(member).copied().unwrap_or(1.0));
    let left: f64 = days
        .iter()
        .map(|(day, points)| points * factor * compiled.decay.left((as_of - *day).num_days()))
        .sum();
    let [raw, granted, weighted, net] = [raw, granted, granted * factor, left].map(hundredths);
    Some(Grant {
        rule,
        member,
        events,
        days: counted,
        raw,
        capped: granted - raw,
        role: weighted - granted,
        decay: net - weighted,
        net,
    })
}
