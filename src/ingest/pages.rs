//! What comes in, how far behind the projections are, and what was refused.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::minutes::Hour;
use super::status::Status;
use super::store_dead_letters::{self as letters, After, DeadLetter, Group};
use super::store_status;
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::sources::store::{self as sources, Source};
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// Letters of one page.
const PAGE: i64 = 50;

struct SourceLine {
    source: Source,
    heard: Option<Moment>,
    hour: Hour,
}

/// `GET /ingest`.
#[derive(Template)]
#[template(path = "ingest/health.html", blocks = ["live"])]
struct HealthPage {
    shell: Shell,
    status: Status,
    lag: String,
    sources: Vec<SourceLine>,
    may_manage_keys: bool,
}

/// The page, or its numbers alone for whoever polls.
pub async fn health(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    let (day, since) = (me.now - TimeDelta::hours(24), me.now - TimeDelta::minutes(61));
    let (totals, sources, minutes, heard) = app
        .db
        .read_web(move |conn| {
            Ok((
                store_status::totals(conn, day)?,
                sources::list(conn)?,
                store_status::minutes(conn, since)?,
                store_status::last_heard(conn)?,
            ))
        })
        .await?;
    let status = Status::of(&totals, me.now);
    let sources = sources
        .into_iter()
        .map(|source| SourceLine {
            heard: heard
                .iter()
                .find(|last| last.source_id == source.id)
                .map(|last| format::moment(last.minute, me.now, me.zone)),
            hour: Hour::of(minutes.iter().filter(|minute| minute.source_id == source.id), me.now),
            source,
        })
        .collect();
    let page = HealthPage {
        shell: me.shell("Ingest").at(NavItem::Ingest),
        lag: lag(status.lag_ms),
        status,
        sources,
        may_manage_keys: me.may(May::ManageKeys),
    };
    if htmx.wants("live") { answer::page(&page.as_live()) } else { answer::page(&page) }
}

/// A lag in words.
fn lag(millis: i64) -> String {
    match millis {
        0..1_000 => "less than a second".to_owned(),
        1_000..120_000 => format!("{} s", millis / 1_000),
        120_000..7_200_000 => format!("{} min", millis / 60_000),
        _ => format!("{} h", millis / 3_600_000),
    }
}

struct GroupLine {
    group: Group,
    name: String,
    fix: &'static str,
    last: Moment,
}

struct LetterLine {
    reason: String,
    letter: DeadLetter,
    received: Moment,
    source: String,
}

/// `GET /ingest/dead-letters`.
#[derive(Template)]
#[template(path = "ingest/dead_letters.html")]
pub(super) struct DeadLettersPage {
    shell: Shell,
    groups: Vec<GroupLine>,
    lines: Vec<LetterLine>,
    code: String,
    next: String,
    errors: FieldErrors,
}

/// Which letters to list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    code: String,
    after: String,
}

/// The page.
pub async fn dead_letters(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    query: web::Query<Query>,
) -> Result<HttpResponse> {
    answer::page(&DeadLettersPage::load(&app, &me, query.into_inner()).await?)
}

impl DeadLettersPage {
    /// The chosen reason for people.
    fn code_name(&self) -> String {
        words(&self.code)
    }

    pub(super) async fn load(app: &App, me: &Viewer, query: Query) -> Result<Self> {
        let (code, after) = (query.code.clone(), cursor(&query.after));
        let (groups, listed, sources) = app
            .db
            .read_web(move |conn| {
                let code = Some(code.as_str()).filter(|code| !code.is_empty());
                Ok((
                    letters::groups(conn)?,
                    letters::page(conn, code, after, PAGE + 1)?,
                    sources::list(conn)?,
                ))
            })
            .await?;
        let shown = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let more = listed.len() > shown;
        let lines: Vec<LetterLine> = listed
            .into_iter()
            .take(shown)
            .map(|letter| LetterLine {
                received: format::moment(letter.received_at, me.now, me.zone),
                source: name_of(&sources, &letter),
                reason: words(&letter.code),
                letter,
            })
            .collect();
        let next = lines.last().filter(|_| more).map(|line| {
            let cursor =
                format!("{}_{}", line.letter.received_at.timestamp_micros(), line.letter.id);
            format!("/ingest/dead-letters?code={}&after={cursor}", query.code)
        });
        Ok(Self {
            shell: me.shell("Dead letters").at(NavItem::Ingest),
            groups: groups
                .into_iter()
                .map(|group| GroupLine {
                    name: words(&group.code),
                    fix: fix(&group.code),
                    last: format::moment(group.last_at, me.now, me.zone),
                    group,
                })
                .collect(),
            lines,
            code: query.code,
            next: next.unwrap_or_default(),
            errors: FieldErrors::new(),
        })
    }

    pub(super) fn refused(mut self, errors: FieldErrors) -> Self {
        self.errors = errors;
        self
    }
}

/// `micros_id` of the last letter shown; anything else begins at the first page.
fn cursor(after: &str) -> Option<After> {
    let (micros, id) = after.split_once('_')?;
    let at = DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?;
    Some((at, id.parse().ok()?))
}

fn name_of(sources: &[Source], letter: &DeadLetter) -> String {
    let source = sources.iter().find(|source| source.id == letter.source_id);
    source.map_or_else(|| "a source that is gone".to_owned(), |source| source.name.clone())
}

/// `missing_identity` as people read it.
fn words(code: &str) -> String {
    let mut words = code.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Where the cause is mended.
fn fix(code: &str) -> &'static str {
    match code {
        "missing_workspace" => {
            "Call group() for these people, or send groupId with the event; then they find their place by themselves."
        }
        "blocked_identity" => {
            "Send the user's own id: these ids mean nobody. Nothing to replay as they are."
        }
        "event_too_large" | "too_many_events" | "too_deep" => {
            "Send less in one event or batch; what is here cannot be replayed as it is."
        }
        "internal" => "Ripen could not process these; replay them after the next update.",
        _ => "Mend the sender. Replaying helps once Ripen understands what it refused.",
    }
}

/// `GET /ingest/dead-letters/{id}`.
#[derive(Template)]
#[template(path = "ingest/dead_letter.html")]
struct DeadLetterPage {
    shell: Shell,
    letter: DeadLetter,
    name: String,
    fix: &'static str,
    source: String,
    received: Moment,
    ended: Option<Moment>,
}

/// One letter with its text.
pub async fn dead_letter(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (letter, sources) =
        app.db.read_web(move |conn| Ok((letters::find(conn, id)?, sources::list(conn)?))).await?;
    answer::page(&DeadLetterPage {
        shell: me.shell("Dead letter").at(NavItem::Ingest),
        name: words(&letter.code),
        fix: fix(&letter.code),
        source: name_of(&sources, &letter),
        received: format::moment(letter.received_at, me.now, me.zone),
        ended: letter
            .replayed_at
            .or(letter.discarded_at)
            .map(|at| format::moment(at, me.now, me.zone)),
        letter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_junk_begins_anew() {
        let id = Uuid::now_v7();
        let (at, read) = cursor(&format!("1790000000000001_{id}")).unwrap();
        assert_eq!((at.timestamp_micros(), read), (1_790_000_000_000_001, id));
        assert_eq!(cursor("junk"), None);
        assert_eq!(cursor("9_9"), None);
    }

    #[test]
    fn lags_and_codes_read_well() {
        assert_eq!(lag(999), "less than a second");
        assert_eq!(lag(61_000), "61 s");
        assert_eq!(lag(7_200_000), "2 h");
        assert_eq!(words("missing_identity"), "Missing identity");
    }
}
