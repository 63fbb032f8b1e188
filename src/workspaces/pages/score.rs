//! `GET /workspaces/{id}`: the score with everything that explains it, today's or a past day's.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use super::record::{self, Record, Tab};
use crate::app::App;
use crate::clock::is_askable;
use crate::error::{Error, Result};
use crate::ids::{MemberId, UserId, WorkspaceId};
use crate::scoring::card::{NO_BUYER_COVERAGE, Scorecard};
use crate::scoring::explain::{self, Changed, LedgerPart, Names, Reason};
use crate::scoring::lead::Why;
use crate::scoring::model::{Model, stage_label};
use crate::scoring::store_scores::{self, HistoryDay};
use crate::scoring::{ops, store_models};
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::{Bars, Day, History, Mark};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::Shell;
use crate::workspaces::store_list;
use crate::workspaces::store_page::{self, Arrived, Head, Person, Task};
use crate::workspaces::store_timeline::{self, KeyEvent, Wanted};

/// So many days of history are drawn.
const HISTORY_DAYS: i64 = 90;
/// So many reasons are told above the ledger.
const REASONS: usize = 6;
/// So many of the people who decide are named.
const DECIDERS: usize = 5;

/// Somebody who decides.
struct Decider {
    name: String,
    part: String,
    title: String,
    leads: bool,
    active: Option<Moment>,
}

/// A key event in a word or two.
struct Happened {
    at: Moment,
    label: String,
    note: String,
}

/// The numeral and what stands beside it.
struct Numeral {
    score: i32,
    change: Option<i32>,
    lines: Vec<String>,
    bars: Bars,
}

/// What to do next.
struct Next {
    action: String,
    task: Option<(String, Option<Moment>)>,
    opener: String,
}

#[derive(Template)]
#[template(path = "workspaces/score.html")]
struct ScorePage {
    shell: Shell,
    record: Record,
    numeral: Option<Numeral>,
    reasons: Vec<Reason>,
    ledger: Vec<LedgerPart>,
    rows: i64,
    total: String,
    model: String,
    changed: Option<(Changed, String)>,
    history: Option<History>,
    deciders: Vec<Decider>,
    has_people: bool,
    no_buyer: bool,
    events: Vec<Happened>,
    next: Option<Next>,
    arrived: Option<Arrived>,
    scored: Option<Moment>,
    /// The past day that is shown, and its value for the form.
    past: Option<String>,
    day: String,
    today: String,
    first_day: String,
    /// A day that means nothing.
    refused: Option<String>,
}

/// The query of the score tab.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScoreQuery {
    as_of: String,
}

/// Everything read for one answer.
struct Found {
    head: Head,
    members: Vec<(MemberId, String)>,
    people: Vec<Person>,
    names: Names,
    events: Vec<KeyEvent>,
    history: Vec<HistoryDay>,
    model: Option<Model>,
    card: Option<Scorecard>,
    task: Option<Task>,
    arrived: Option<Arrived>,
}

/// `GET /workspaces/{id}` and `/workspaces/{id}/score`; `?as_of=YYYY-MM-DD` shows the past.
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn score(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
    query: web::Query<ScoreQuery>,
) -> Result<HttpResponse> {
    let Ok(id) = record::id(&path) else {
        let external_id = path.into_inner();
        let id =
            app.db.read_web(move |conn| store_page::by_external_id(conn, &external_id)).await?;
        return Ok(answer::see_other(&Tab::Score.href(id)));
    };
    let today = app.clock.today();
    let asked: Option<NaiveDate> = query.as_of.parse().ok();
    let asked = asked.filter(|day| is_askable(*day) && *day <= today);
    let refused = (asked.is_none() && !query.as_of.trim().is_empty()).then(|| query.as_of.clone());
    let past = asked.filter(|day| *day < today);
    let found = app.db.read_web(move |conn| read(conn, id, past, today)).await?;
    answer::page(&show(&me, found, past, today, refused))
}

fn read(
    conn: &mut diesel::PgConnection,
    id: WorkspaceId,
    past: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<Found> {
    let head = store_page::head(conn, id)?;
    let last = past.unwrap_or(today);
    let first = last - TimeDelta::days(HISTORY_DAYS - 1);
    let history = match past {
        Some(_) => ops::history(conn, id, first, last)?,
        None => store_scores::history(conn, id, first, last)?,
    };
    let (model, card) = match past {
        Some(day) => past_card(conn, id, day)?,
        None => (
            current_model(conn, head.model_version)?,
            head.card.clone().and_then(|card| serde_json::from_value(card).ok()),
        ),
    };
    let until = past.map(end_of);
    let events = store_timeline::events(conn, id, &Wanted { until, ..Wanted::default() }, 5)?;
    let people = store_page::people(conn, id)?;
    let users: Vec<UserId> = card.as_ref().map(users_of).unwrap_or_default();
    let names = store_page::names(conn, &users)?;
    let task = store_page::tasks(conn, id)?.into_iter().find(|task| task.completed_at.is_none());
    let arrived = if head.score.is_none() { Some(store_page::arrived(conn, id)?) } else { None };
    let members = store_list::owners(conn)?;
    Ok(Found { head, members, people, names, events, history, model, card, task, arrived })
}

/// The model of the stored card; none where it is gone.
fn current_model(conn: &mut diesel::PgConnection, version: Option<i32>) -> Result<Option<Model>> {
    let Some(version) = version else { return Ok(None) };
    match store_models::version(conn, version) {
        Ok(version) => Ok(Some(version.model)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The model that was in force on a past day, and the card that it gives from what is known today;
/// no card before anything is known.
fn past_card(
    conn: &mut diesel::PgConnection,
    id: WorkspaceId,
    day: NaiveDate,
) -> Result<(Option<Model>, Option<Scorecard>)> {
    let (ground, case) = ops::open(conn, id)?;
    let Some(model) = ground.model_on(day) else { return Ok((None, None)) };
    let known = case.first_day().is_some_and(|first| first <= day);
    let card = if known { case.card_on(&ground, day) } else { None };
    Ok((Some(model.model().clone()), card))
}

/// Midnight after a UTC day.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1)
}

/// Everybody whom the ledger names.
fn users_of(card: &Scorecard) -> Vec<UserId> {
    let mut users: Vec<UserId> = card.ledger.iter().filter_map(|row| row.user_id).collect();
    users.sort();
    users.dedup();
    users
}

fn show(
    me: &Viewer,
    found: Found,
    past: Option<NaiveDate>,
    today: NaiveDate,
    refused: Option<String>,
) -> ScorePage {
    let Found { head, members, people, names, events, history, model, card, task, arrived } = found;
    let model = model.unwrap_or_else(nameless);
    let bars = |card: &Scorecard| Bars::new("bars", explain::bars(card, &model));
    let numeral = match past {
        None => head.score.map(|score| Numeral {
            score,
            change: head.score_7d.map(|before| score - before),
            lines: lines_now(&head, score, &model, me),
            bars: card.as_ref().map_or_else(|| Bars::new("bars", Vec::new()), bars),
        }),
        Some(day) => card.as_ref().map(|card| {
            let week = day - TimeDelta::days(7);
            let before = history.iter().find(|one| one.day == week);
            Numeral {
                score: explain::small(card.score),
                change: before.map(|one| explain::small(card.score) - one.score),
                lines: vec![
                    format!("{} on {}.", stage_label(&card.stage), format::day(day, today)),
                    format!("{}.", explain::distance(card.score, &model)),
                ],
                bars: bars(card),
            }
        }),
    };
    let ledger =
        card.as_ref().map(|card| explain::ledger(card, &model, &names)).unwrap_or_default();
    let no_buyer = card.as_ref().is_some_and(|card| card.has_flag(NO_BUYER_COVERAGE));
    let record = Record::new(&head, me, members, Tab::Score);
    ScorePage {
        shell: record::shell(me, &head, Tab::Score),
        reasons: card
            .as_ref()
            .map(|card| explain::reasons(card, &model, &names, REASONS))
            .unwrap_or_default(),
        rows: card.as_ref().map_or(0, |card| i64::try_from(card.ledger.len()).unwrap_or(i64::MAX)),
        total: card.as_ref().map(|card| explain::exact(card.score)).unwrap_or_default(),
        model: card
            .as_ref()
            .map(|card| format!("{}, version {}", card.model.name, card.model.version))
            .unwrap_or_default(),
        ledger,
        changed: card.as_ref().and_then(|card| explain::changed(card, &model)).map(|changed| {
            let title = if today.signed_duration_since(changed.since).num_days() == 1 {
                "Since yesterday".to_owned()
            } else {
                format!("Since {}", format::day(changed.since, today))
            };
            (changed, title)
        }),
        history: chart(&history, &model, today),
        has_people: !people.is_empty(),
        no_buyer: past.is_none() && no_buyer,
        deciders: deciders(&people, card.as_ref(), me),
        events: events.iter().map(|event| happened(event, me)).collect(),
        next: next(&head, task, me).filter(|_| past.is_none()),
        arrived: arrived.filter(|_| past.is_none()),
        scored: head.scored_at.map(|at| format::moment(at, me.now, me.zone)),
        past: past.map(|day| format::day(day, today)),
        day: past.unwrap_or(today).to_string(),
        today: today.to_string(),
        first_day: head.first_seen_at.date_naive().min(head.created_at.date_naive()).to_string(),
        refused,
        numeral,
        record,
    }
}

/// For a score whose model is gone: bars and lines without labels and limits.
fn nameless() -> Model {
    Model {
        name: String::new(),
        lookback_days: 0,
        categories: Vec::new(),
        rules: Vec::new(),
        role_factors: Vec::new(),
        stages: Vec::new(),
    }
}

fn lines_now(head: &Head, score: i32, model: &Model, me: &Viewer) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((stage, since)) = head.stage.as_deref().zip(head.stage_since) {
        let since = format::relative(since, me.now, me.zone);
        // "since 3 h ago" is not English.
        lines.push(match since.strip_suffix(" ago") {
            Some(span) => format!("{} for {span}.", stage_label(stage)),
            None => format!("{} since {since}.", stage_label(stage)),
        });
    }
    let distance = explain::distance(i64::from(score), model);
    if !distance.is_empty() {
        lines.push(format!("{distance}."));
    }
    lines
}

/// The chart of the last days, marked where the model changed.
fn chart(days: &[HistoryDay], model: &Model, today: NaiveDate) -> Option<History> {
    let first = days.first()?;
    let marks: Vec<Mark> = days
        .iter()
        .zip(days.iter().skip(1))
        .filter(|(before, after)| before.model_version != after.model_version)
        .map(|(_, after)| Mark { on: after.day, label: format!("model {}", after.model_version) })
        .collect();
    let note = match marks.last() {
        Some(mark) => format!("{} since {}", mark.label, format::day(mark.on, today)),
        None => format!("model {}", first.model_version),
    };
    let shown: Vec<Day> = days.iter().map(|day| Day { on: day.day, score: day.score }).collect();
    let title = format!("Score, {}", format::count(HISTORY_DAYS, "day", "days"));
    Some(History::new("history", title, note, &shown, &explain::bands(model), &marks))
}

/// Whom the score counts as a buyer, the lead user first, and who is said to hold the budget.
fn deciders(people: &[Person], card: Option<&Scorecard>, me: &Viewer) -> Vec<Decider> {
    let lead = card.and_then(|card| card.lead_user.as_ref()).map(|lead| lead.user_id);
    let leads = |person: &Person| lead == Some(person.id);
    let why = |person: &Person| card.and_then(|card| card.buyer(person.id));
    let decides = |person: &Person| {
        why(person).is_some()
            || (person.left_at.is_none() && person.persona.as_deref() == Some("economic_buyer"))
    };
    let mut chosen: Vec<&Person> =
        people.iter().filter(|person| decides(person) || leads(person)).collect();
    chosen.sort_by_key(|person| !leads(person));
    chosen
        .into_iter()
        .take(DECIDERS)
        .map(|person| Decider {
            name: name_of(person),
            part: part(person, why(person)),
            title: person.job_title.clone().unwrap_or_default(),
            leads: leads(person),
            active: person.last_active_at.map(|at| format::moment(at, me.now, me.zone)),
        })
        .collect()
}

/// What to call somebody.
pub(super) fn name_of(person: &Person) -> String {
    let named = person.name.clone().filter(|name| !name.trim().is_empty());
    named.or_else(|| person.email.clone()).unwrap_or_else(|| person.external_id.clone())
}

/// Role and persona: "member, champion, suggested".
pub(super) fn part(person: &Person, why: Option<Why>) -> String {
    let persona = person.persona.as_deref().map(|persona| in_words(persona).to_lowercase());
    let suggested = (why == Some(Why::SuggestedChampion))
        .then(|| explain::lead_word(Why::SuggestedChampion).to_owned());
    person.role.clone().into_iter().chain(persona).chain(suggested).collect::<Vec<_>>().join(", ")
}

fn happened(event: &KeyEvent, me: &Viewer) -> Happened {
    let note = [in_words(&event.feature), event.person.clone()];
    Happened {
        at: format::moment(event.at, me.now, me.zone),
        label: event.label.clone(),
        note: note.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
    }
}

fn next(head: &Head, task: Option<Task>, me: &Viewer) -> Option<Next> {
    let action = head.next_best_action.clone().unwrap_or_default();
    if action.is_empty() && task.is_none() {
        return None;
    }
    let opener = task.as_ref().and_then(|task| task.payload.get("opener")?.as_str());
    Some(Next {
        opener: opener.unwrap_or_default().to_owned(),
        task: task
            .map(|task| (task.title, task.due_at.map(|at| format::moment(at, me.now, me.zone)))),
        action,
    })
}
