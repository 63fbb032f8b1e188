//! `GET /ingest/dead-letters`: what was refused, by reason, and one by one.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Days, NaiveTime, Utc};
use diesel::PgConnection;
use serde::Deserialize;
use uuid::Uuid;

use super::name_of;
use crate::app::App;
use crate::clock::{askable_time, is_askable};
use crate::error::{FieldErrors, Result};
use crate::ingest::hint::{self, Hint};
use crate::ingest::mask;
use crate::ingest::store_dead_letters::{
    self as letters, After, Chosen, CodeDay, DeadLetter, Kind,
};
use crate::ingest::store_replays::{self as replays, Replay};
use crate::sources::store::{self as sources, Source};
use crate::web::answer::{self, Htmx};
use crate::web::charts::SmallColumns;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::shell::{NavItem, Shell};

/// Letters of one page, days of the bars, kinds of a code before the rest is only counted.
const PAGE: i64 = 50;
const DAYS: usize = 14;
const KINDS: usize = 6;
/// In the address, the name of events that have none.
pub const NAMELESS: &str = "(no name)";

/// Which letters, as addresses and forms say it; what cannot be read asks nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub id: String,
    pub code: String,
    pub source: String,
    pub event: String,
    /// A day, `YYYY-MM-DD`, UTC.
    pub since: String,
    pub replay: String,
}

impl Filter {
    /// The letters that it means.
    #[must_use]
    pub fn chosen(&self) -> Chosen {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let since = self.since.parse().ok().filter(|day| is_askable(*day));
        Chosen {
            id: self.id.parse().ok(),
            code: some(&self.code),
            source: self.source.parse().ok(),
            event: some(&self.event)
                .map(|event| if event == NAMELESS { String::new() } else { event }),
            since: since.map(|day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc()),
            replay: self.replay.parse().ok(),
        }
    }

    /// The address of the list of these letters; more parameters may follow.
    #[must_use]
    pub fn href(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(name, value);
        }
        format!("/ingest/dead-letters?{}", query.finish())
    }

    /// What is asked, for hidden inputs.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("id", self.id.as_str()),
            ("code", &self.code),
            ("source", &self.source),
            ("event", &self.event),
            ("since", &self.since),
            ("replay", &self.replay),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn of_kind(kind: &Kind) -> Self {
        Self {
            code: kind.code.clone(),
            source: kind.source_id.to_string(),
            event: if kind.event.is_empty() { NAMELESS.to_owned() } else { kind.event.clone() },
            ..Self::default()
        }
    }
}

struct KindLine {
    kind: Kind,
    source: String,
    filter: Filter,
    last: Moment,
}

struct Group {
    code: String,
    name: String,
    hint: Hint,
    letters: i64,
    first: Moment,
    last: Moment,
    bars: SmallColumns,
    /// Of the last 14 days.
    recent: i64,
    kinds: Vec<KindLine>,
    more_kinds: i64,
    /// The newest letter's message and masked text.
    message: String,
    sample: String,
}

struct LetterLine {
    letter: DeadLetter,
    reason: String,
    received: Moment,
    source: String,
}

struct ReplayLine {
    replay: Replay,
    started: Moment,
}

#[derive(Template)]
#[template(path = "ingest/dead_letters.html", blocks = ["more"])]
pub struct LettersPage {
    shell: Shell,
    groups: Vec<Group>,
    lines: Vec<LetterLine>,
    filter: Filter,
    /// Words for what is asked, each with the address without it.
    asked: Vec<(String, String)>,
    /// Codes, sources and the chosen ones, for the form.
    codes: Vec<(String, String)>,
    sources: Vec<(String, String)>,
    letters: String,
    next: String,
    replays: Vec<ReplayLine>,
    errors: FieldErrors,
    reason: String,
    /// Whether only what follows is asked for.
    fragment: bool,
}

/// Which letters to list, and behind which one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    #[serde(flatten)]
    filter: Filter,
    after: String,
}

/// The page, or what follows the last letter shown.
pub async fn dead_letters(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    query: web::Query<Query>,
) -> Result<HttpResponse> {
    let query = query.into_inner();
    let mut page = LettersPage::load(&app, &me, query.filter, cursor(&query.after)).await?;
    page.fragment = htmx.wants("more");
    if page.fragment { answer::page(&page.as_more()) } else { answer::page(&page) }
}

struct Found {
    kinds: Vec<Kind>,
    days: Vec<CodeDay>,
    samples: Vec<DeadLetter>,
    listed: Vec<DeadLetter>,
    replays: Vec<Replay>,
    sources: Vec<Source>,
}

impl Found {
    fn read(
        conn: &mut PgConnection,
        chosen: &Chosen,
        after: Option<After>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let today = now.date_naive();
        let since = today.checked_sub_days(Days::new(13)).unwrap_or(today);
        let kinds = letters::kinds(conn)?;
        let mut codes: Vec<String> = kinds.iter().map(|kind| kind.code.clone()).collect();
        codes.dedup();
        Ok(Self {
            days: letters::days(conn, since)?,
            samples: letters::samples(conn, &codes)?,
            listed: letters::page(conn, chosen, after, PAGE + 1)?,
            replays: replays::newest(conn, 5)?,
            sources: sources::list(conn)?,
            kinds,
        })
    }

    /// The groups by code, the largest first.
    fn groups(&self, me: &Viewer) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .kinds
            .chunk_by(|one, next| one.code == next.code)
            .filter_map(|kinds| self.group(kinds, me))
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.letters));
        groups
    }

    fn group(&self, kinds: &[Kind], me: &Viewer) -> Option<Group> {
        let code = &kinds.first()?.code;
        let sample = self.samples.iter().find(|letter| letter.code == *code)?;
        let moment = |at| format::moment(at, me.now, me.zone);
        let mut bars = [0_i64; DAYS];
        for day in self.days.iter().filter(|day| day.code == *code) {
            let back = usize::try_from((me.now.date_naive() - day.day).num_days()).ok();
            let place = back.and_then(|back| (DAYS - 1).checked_sub(back));
            if let Some(bar) = place.and_then(|place| bars.get_mut(place)) {
                *bar = day.letters;
            }
        }
        let line = |kind: &Kind| KindLine {
            source: name_of(&self.sources, kind.source_id),
            filter: Filter::of_kind(kind),
            last: moment(kind.last_at),
            kind: kind.clone(),
        };
        Some(Group {
            name: hint::name(code),
            hint: hint::of(code),
            letters: kinds.iter().map(|kind| kind.letters).sum(),
            first: moment(kinds.iter().map(|kind| kind.first_at).min()?),
            last: moment(kinds.iter().map(|kind| kind.last_at).max()?),
            recent: bars.iter().sum(),
            bars: SmallColumns::new(&bars),
            kinds: kinds.iter().take(KINDS).map(line).collect(),
            more_kinds: i64::try_from(kinds.len().saturating_sub(KINDS)).unwrap_or(i64::MAX),
            message: sample.message.clone(),
            sample: mask::masked(sample.text()),
            code: code.clone(),
        })
    }
}

impl LettersPage {
    /// The page of these letters, behind the last one shown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(
        app: &App,
        me: &Viewer,
        filter: Filter,
        after: Option<After>,
    ) -> Result<Self> {
        let (chosen, now) = (filter.chosen(), me.now);
        let found = app.db.read_web(move |conn| Found::read(conn, &chosen, after, now)).await?;
        let groups = found.groups(me);
        let shown = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let more = found.listed.len() > shown;
        let lines: Vec<LetterLine> = found
            .listed
            .into_iter()
            .take(shown)
            .map(|letter| LetterLine {
                received: format::moment(letter.received_at, me.now, me.zone),
                source: name_of(&found.sources, letter.source_id),
                reason: hint::name(&letter.code),
                letter,
            })
            .collect();
        let next = lines.last().filter(|_| more).map(|line| {
            let at = line.letter.received_at.timestamp_micros();
            format!("{}&after={at}_{}", filter.href(), line.letter.id)
        });
        let all: i64 = groups.iter().map(|group| group.letters).sum();
        Ok(Self {
            shell: me.shell("Dead letters").at(NavItem::Ingest),
            asked: asked(&filter, &found.sources),
            codes: groups.iter().map(|group| (group.code.clone(), group.name.clone())).collect(),
            sources: found
                .sources
                .iter()
                .map(|source| (source.id.to_string(), source.name.clone()))
                .collect(),
            letters: format::count(all, "event waits", "events wait"),
            replays: found
                .replays
                .into_iter()
                .map(|replay| ReplayLine {
                    started: format::moment(replay.started_at, me.now, me.zone),
                    replay,
                })
                .collect(),
            next: next.unwrap_or_default(),
            errors: FieldErrors::new(),
            reason: String::new(),
            fragment: false,
            groups,
            lines,
            filter,
        })
    }

    /// The same with what is wrong with a form, and what was typed.
    #[must_use]
    pub fn refused(mut self, errors: FieldErrors, reason: &str) -> Self {
        self.errors = errors;
        reason.clone_into(&mut self.reason);
        self
    }
}

/// What is asked, in words, each with the address without it.
fn asked(filter: &Filter, sources: &[Source]) -> Vec<(String, String)> {
    let without = |change: fn(&mut Filter)| {
        let mut less = filter.clone();
        change(&mut less);
        less.href()
    };
    let mut asked = Vec::new();
    let chosen = filter.chosen();
    if let Some(code) = &chosen.code {
        asked.push((hint::name(code), without(|filter| filter.code.clear())));
    }
    if let Some(source) = chosen.source {
        let name = name_of(sources, source);
        asked.push((format!("Source: {name}"), without(|filter| filter.source.clear())));
    }
    if chosen.event.is_some() {
        asked.push((format!("Event: {}", filter.event), without(|filter| filter.event.clear())));
    }
    if chosen.since.is_some() {
        asked.push((format!("Since {}", filter.since), without(|filter| filter.since.clear())));
    }
    if chosen.replay.is_some() {
        asked.push(("Left over by a replay".into(), without(|filter| filter.replay.clear())));
    }
    // What was asked and cannot be read is said, not silently dropped.
    let unread = [
        ("since", filter.since.is_empty() || chosen.since.is_some()),
        ("source", filter.source.is_empty() || chosen.source.is_some()),
        ("replay", filter.replay.is_empty() || chosen.replay.is_some()),
    ];
    for (name, _) in unread.into_iter().filter(|(_, read)| !read) {
        let mut less = filter.clone();
        match name {
            "since" => less.since.clear(),
            "source" => less.source.clear(),
            _ => less.replay.clear(),
        }
        asked.push((format!("⚠ “{name}” cannot be read and was left out"), less.href()));
    }
    asked
}

/// `micros_id` of the last letter shown; anything else begins at the first page.
fn cursor(after: &str) -> Option<After> {
    let (micros, id) = after.split_once('_')?;
    Some((askable_time(micros.parse().ok()?)?, id.parse::<Uuid>().ok()?))
}

#[cfg(test)]
#[path = "letters_tests.rs"]
mod tests;
