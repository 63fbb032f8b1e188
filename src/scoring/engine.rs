//! The engine: `score(model, world, as_of)`, the same function for today, for any past day, for a
//! preview and for a backtest. No clock, no SQL, no randomness. Semantics: docs/scoring.md.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::card::{
    BUYERS, Buyer, CategoryPoints, LeadUser, LedgerRow, MemberScore, ModelRef, NO_BUYER_COVERAGE,
    RowKind, Scorecard,
};
use super::compiled::CompiledModel;
use super::grants::{self, Activity, Grant};
use super::lead::{self, Candidate, Why};
use super::model::{Level, RuleKind};
use super::points::hundredths;
use super::reasons;
use crate::ids::WorkspaceId;
use crate::usage::day::UsageDay;
use crate::usage::facts::Member;
use crate::usage::signal::{Fields, Value};

/// One workspace as the engine sees it, in any order.
///
/// Usage days older than the model's lookback may be left out, but for the earliest day of each
/// (member, event): `per: once` and first active days need it.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Which workspace.
    pub workspace_id: WorkspaceId,
    /// Workspace and account fields as of the day (`usage::compute`).
    pub fields: &'a Fields,
    /// The memberships, each person once.
    pub members: &'a [Member],
    /// What happened, with names of the table that compiled the model.
    pub usage: &'a [UsageDay],
    /// Whether a member who invites others and stays active counts as a champion without anybody
    /// having said so. False takes the personas of `members` as the whole truth.
    pub suggest_champions: bool,
}

impl<'a> World<'a> {
    /// The usage days that exist at `as_of`.
    pub(super) fn usage_until(
        &self,
        as_of: NaiveDate,
    ) -> impl Iterator<Item = &'a UsageDay> + use<'a> {
        self.usage.iter().filter(move |day| day.day <= as_of && day.count > 0)
    }

    /// A field as a member's rule sees it: the member's own, else the workspace's.
    pub(super) fn member_field<'b>(&'b self, member: &'b Member, key: &str) -> Cow<'b, Value> {
        member.field(key).unwrap_or_else(|| Cow::Borrowed(self.fields.get(key)))
    }
}

/// A world's points before they become a scorecard; enough for a chart of many days.
pub(super) struct Tally<'a> {
    /// Event grants, then state and lookup rows.
    rows: Vec<Row>,
    candidates: Vec<(usize, Why, Option<f64>, &'a str)>,
    /// Unclamped user-level points: one stretch of categories per candidate.
    user_points: Vec<i64>,
    /// The leading candidate.
    lead: Option<usize>,
    /// Per category, after its limits.
    pub categories: Vec<i64>,
    pub score: i64,
}

#[derive(Clone, Debug)]
struct Row {
    grant: Grant,
    kind: RowKind,
    note: Option<String>,
}

/// The score of a workspace on a UTC day, with its ledger.
#[must_use]
pub fn score(model: &CompiledModel, world: &World<'_>, as_of: NaiveDate) -> Scorecard {
    let mut tally = tally(model, world, as_of);
    tally.rows.sort_by_key(|row| {
        let category = model.rules.get(row.grant.rule).map_or(usize::MAX, |rule| rule.category);
        (category, row.grant.rule, row.grant.member)
    });
    let ledger = ledger(model, world, &tally);
    let covered = tally.candidates.iter().any(|(_, why, ..)| why.is_buyer());
    let lead_user = tally.lead.and_then(|at| tally.candidates.get(at)).and_then(|lead| {
        let member = world.members.get(lead.0)?;
        Some(LeadUser { user_id: member.id, why: lead.1, factor: lead.2.unwrap_or(1.0) })
    });
    Scorecard {
        workspace_id: world.workspace_id,
        as_of,
        model: ModelRef { name: model.model.name.clone(), version: model.version },
        score: tally.score,
        stage: model.model.stage_of(tally.score).to_owned(),
        lead_user,
        buyers: buyers(world, &tally),
        flags: if covered { Vec::new() } else { vec![NO_BUYER_COVERAGE.to_owned()] },
        categories: category_points(model, tally.categories.iter().copied()),
        reasons: reasons::top(&model.model, &ledger),
        change: None,
        next_best_action: None,
        ledger,
    }
}

fn buyers(world: &World<'_>, tally: &Tally<'_>) -> Vec<Buyer> {
    let mut buyers: Vec<(bool, Why, &Member)> = tally
        .candidates
        .iter()
        .enumerate()
        .filter(|(_, (_, why, ..))| why.is_buyer())
        .filter_map(|(place, (at, why, ..))| {
            Some((tally.lead != Some(place), *why, world.members.get(*at)?))
        })
        .collect();
    buyers.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| a.2.by_id(b.2)));
    buyers.truncate(BUYERS);
    buyers.into_iter().map(|(_, why, member)| Buyer { user_id: member.id, why }).collect()
}

/// The points alone.
pub(super) fn tally<'a>(
    model: &'a CompiledModel,
    world: &World<'_>,
    as_of: NaiveDate,
) -> Tally<'a> {
    let people = grants::activities(model, world, as_of);
    let activity = |member: &Member| -> Option<&Activity> {
        let at = people.binary_search_by_key(&member.id, |person| person.user).ok()?;
        people.get(at)
    };
    let mut candidates = Vec::with_capacity(world.members.len());
    let mut factors = vec![1.0; world.members.len()];
    for (at, member) in world.members.iter().enumerate() {
        let activity = activity(member);
        if !lead::is_present(member, activity, as_of) {
            continue;
        }
        let row = lead::factor(model, world, member);
        if let (Some(factor), Some(row)) = (factors.get_mut(at), row) {
            *factor = row.factor;
        }
        let label = row.map_or("", |row| &row.label);
        candidates.push((
            at,
            lead::part(member, activity.filter(|_| world.suggest_champions)),
            row.map(|row| row.factor),
            label,
        ));
    }
    let present: Vec<usize> = candidates.iter().map(|candidate| candidate.0).collect();
    let mut rows: Vec<Row> = grants::grants(model, world, &people, &factors, as_of)
        .into_iter()
        .map(|grant| Row { grant, kind: RowKind::Event, note: None })
        .collect();
    for (rule, ..) in model.each_rule() {
        add_facts(model, world, &present, rule, &mut rows);
    }
    sum(model, world, rows, candidates)
}

/// Adds the rows of a state or lookup rule: for the workspace, or for every present member.
fn add_facts(
    model: &CompiledModel,
    world: &World<'_>,
    present: &[usize],
    rule: usize,
    rows: &mut Vec<Row>,
) {
    let Some(level) = model.rules.get(rule).map(|rule| rule.level) else { return };
    match level {
        Level::Workspace => {
            let field = |key: &str| Cow::Borrowed(world.fields.get(key));
            rows.extend(fact(model, rule, None, field));
        }
        Level::User => rows.extend(present.iter().filter_map(|at| {
            let member = world.members.get(*at)?;
            fact(model, rule, Some(*at), |key| world.member_field(member, key))
        })),
    }
}

fn fact<'a>(
    model: &CompiledModel,
    rule: usize,
    member: Option<usize>,
    field: impl Fn(&str) -> Cow<'a, Value>,
) -> Option<Row> {
    let document = model.model.rules.get(rule)?;
    let (kind, points, note) = match &document.kind {
        RuleKind::Event { .. } => return None,
        RuleKind::State { when, points } => {
            if !when.iter().all(|clause| clause.holds(&field)) {
                return None;
            }
            (RowKind::State, *points, None)
        }
        RuleKind::Lookup { field: key, points } => {
            let value = field(key);
            let words = value.to_words();
            let note =
                if value.is_set() { words.clone() } else { format!("{} unknown", document.label) };
            let points = if value.is_set() { points.get(&words).copied() } else { None };
            (RowKind::Lookup, points.unwrap_or(0.0), Some(note))
        }
    };
    let net = hundredths(points);
    let grant =
        Grant { rule, member, events: 0, days: 0, raw: net, capped: 0, role: 0, decay: 0, net };
    Some(Row { grant, kind, note })
}

fn sum<'a>(
    model: &'a CompiledModel,
    world: &World<'_>,
    rows: Vec<Row>,
    candidates: Vec<(usize, Why, Option<f64>, &'a str)>,
) -> Tally<'a> {
    let width = model.limits.len();
    let mut workspace = vec![0i64; width];
    let mut user_points = vec![0i64; width * candidates.len()];
    for Row { grant, .. } in &rows {
        let Some(category) = model.rules.get(grant.rule).map(|rule| rule.category) else {
            continue;
        };
        let slot = match grant.member {
            None => workspace.get_mut(category),
            Some(member) => {
                // Candidates keep the order of the members.
                let place = candidates.binary_search_by_key(&member, |candidate| candidate.0).ok();
                place.and_then(|place| user_points.get_mut(place * width + category))
            }
        };
        if let Some(slot) = slot {
            *slot += grant.net;
        }
    }
    let stretches = user_points.chunks_exact(width.max(1));
    let ranked: Vec<Candidate<'_>> = candidates
        .iter()
        .zip(stretches)
        .filter_map(|((member, why, ..), points)| {
            Some(Candidate { why: *why, facts: world.members.get(*member)?, points })
        })
        .collect();
    let lead = lead::choose(&ranked, &workspace, &model.limits);
    let nobody = vec![0i64; width];
    let lead_points =
        lead.and_then(|at| ranked.get(at)).map_or(nobody.as_slice(), |one| one.points);
    let categories: Vec<i64> = lead::categories(lead_points, &workspace, &model.limits).collect();
    let score = categories.iter().sum::<i64>().clamp(0, 10_000);
    Tally { rows, candidates, user_points, lead, categories, score }
}

/// The rows of the workspace and its lead user, with a clamp row wherever a limit took or gave.
fn ledger(model: &CompiledModel, world: &World<'_>, tally: &Tally<'_>) -> Vec<LedgerRow> {
    let lead = tally.lead.and_then(|at| tally.candidates.get(at)).map(|lead| lead.0);
    let counts = |row: &&Row| row.grant.member.is_none() || row.grant.member == lead;
    let mut ledger = Vec::with_capacity(tally.rows.len());
    for (at, category) in model.model.categories.iter().enumerate() {
        let in_category =
            |row: &&Row| model.rules.get(row.grant.rule).is_some_and(|rule| rule.category == at);
        let mut total = 0;
        for row in tally.rows.iter().filter(in_category).filter(counts) {
            total += row.grant.net;
            ledger.push(ledger_row(model, world, row));
        }
        let points = tally.categories.get(at).copied().unwrap_or(0);
        if points != total {
            ledger.push(clamp_row(Some(&category.key), points - total));
        }
    }
    let total: i64 = tally.categories.iter().sum();
    if total != tally.score {
        ledger.push(clamp_row(None, tally.score - total));
    }
    ledger
}

fn clamp_row(category: Option<&str>, net: i64) -> LedgerRow {
    LedgerRow {
        category: category.map(str::to_owned),
        kind: RowKind::Clamp,
        net,
        ..LedgerRow::default()
    }
}

fn ledger_row(model: &CompiledModel, world: &World<'_>, row: &Row) -> LedgerRow {
    let Grant { events, days, raw, capped, role, decay, net, .. } = row.grant;
    let rule = model.model.rules.get(row.grant.rule);
    let member = row.grant.member.and_then(|at| world.members.get(at));
    LedgerRow {
        rule: rule.map(|rule| rule.key.clone()),
        category: rule.map(|rule| rule.category.clone()),
        kind: row.kind,
        label: rule.map(|rule| rule.label.clone()).unwrap_or_default(),
        user_id: member.map(|member| member.id),
        events,
        days,
        raw,
        capped,
        role,
        decay,
        net,
        note: row.note.clone(),
    }
}

fn category_points(
    model: &CompiledModel,
    points: impl Iterator<Item = i64>,
) -> Vec<CategoryPoints> {
    let categories = model.model.categories.iter().zip(&model.limits).zip(points);
    categories
        .map(|((category, limits), points)| CategoryPoints {
            key: category.key.clone(),
            points,
            max: limits.max,
        })
        .collect()
}

/// Every member's own score, the lead user first, then by score: the table of members.
#[must_use]
pub fn member_scores(
    model: &CompiledModel,
    world: &World<'_>,
    as_of: NaiveDate,
) -> Vec<MemberScore> {
    let mut tally = tally(model, world, as_of);
    tally.rows.retain(|row| row.grant.member.is_some());
    tally.rows.sort_by_key(|row| (row.grant.member, row.grant.rule));
    let mut rows = tally.rows.chunk_by(|a, b| a.grant.member == b.grant.member).peekable();
    let stretches = tally.user_points.chunks_exact(model.limits.len().max(1));
    let mut scores = Vec::with_capacity(tally.candidates.len());
    for (place, ((at, part, factor, label), points)) in
        tally.candidates.iter().zip(stretches).enumerate()
    {
        let Some(member) = world.members.get(*at) else { continue };
        let member_of = |rows: &[Row]| rows.first().and_then(|row| row.grant.member);
        while rows.next_if(|rows| member_of(rows) < Some(*at)).is_some() {}
        let own = rows.next_if(|rows| member_of(rows) == Some(*at)).unwrap_or_default();
        let clamped =
            points.iter().zip(&model.limits).map(|(points, limits)| limits.clamp(*points));
        scores.push(MemberScore {
            user_id: member.id,
            part: *part,
            leads: tally.lead == Some(place),
            factor: factor.unwrap_or(1.0),
            factor_label: (*label).to_owned(),
            score: clamped.clone().sum(),
            categories: category_points(model, clamped),
            ledger: own.iter().map(|row| ledger_row(model, world, row)).collect(),
        });
    }
    scores.sort_by_key(|member| (!member.leads, -member.score, member.user_id));
    scores
}
