//! `GET /ingest`: every source at a glance.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{TimeDelta, Utc};
use diesel::PgConnection;

use super::{millis, name_of};
use crate::app::App;
use crate::error::Result;
use crate::ids::SourceId;
use crate::ingest::alert::span;
use crate::ingest::measure::{Measure, Spread};
use crate::ingest::minutes::{Axis, Sum};
use crate::ingest::names;
use crate::ingest::status::Status;
use crate::ingest::store_alerts::{self, Alert};
use crate::ingest::store_measures::{self, Slot};
use crate::ingest::store_status::{self, Totals, Waiting};
use crate::ingest::{store_dead_letters, store_names};
use crate::sources::store::{self as sources, Source};
use crate::web::answer::{self, Htmx};
use crate::web::charts::{Columns, Names, SmallColumns};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// Dead letters of a source are counted no further.
const COUNTED: i64 = 10_000;

/// A standing alert as the banner has it.
pub(super) struct AlertLine {
    pub alert: Alert,
    pub title: String,
    pub since: Moment,
    pub until: Option<Moment>,
}

impl AlertLine {
    pub(super) fn of(alert: Alert, me: &Viewer) -> Result<Self> {
        Ok(Self {
            title: alert.facts()?.title(&alert.source),
            since: format::moment(alert.opened_at, me.now, me.zone),
            until: alert.closed_at.map(|at| format::moment(at, me.now, me.zone)),
            alert,
        })
    }
}

struct SourceLine {
    source: Source,
    heard: Option<Moment>,
    hour: Sum,
    peak: i64,
    bars: SmallColumns,
    accept: String,
    lag: String,
    dead: i64,
}

/// What the numbers are made of; read again every few seconds.
struct Numbers {
    totals: Totals,
    waiting: Waiting,
    sources: Vec<Source>,
    minutes: Vec<store_status::Minute>,
    heard: Vec<store_status::LastHeard>,
    accept: Vec<Slot>,
    lag: Vec<Slot>,
    dead: Vec<(SourceId, i64)>,
    alerts: Vec<Alert>,
}

impl Numbers {
    fn read(conn: &mut PgConnection, now: chrono::DateTime<Utc>) -> Result<Self> {
        let (day, since) = (now - TimeDelta::hours(24), Axis::hour(now).start);
        let sources = sources::list(conn)?;
        let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
        Ok(Self {
            totals: store_status::totals(conn, day)?,
            waiting: store_status::waiting(conn)?,
            minutes: store_status::minutes(conn, since)?,
            heard: store_status::last_heard(conn)?,
            accept: store_measures::slots(conn, &ids, Measure::Accept, since, 86_400)?,
            lag: store_measures::slots(conn, &ids, Measure::Lag, since, 86_400)?,
            dead: store_dead_letters::by_source(conn, COUNTED)?,
            alerts: store_alerts::open(conn)?,
            sources,
        })
    }

    fn line(&self, source: &Source, me: &Viewer) -> SourceLine {
        let minutes = || self.minutes.iter().filter(|minute| minute.source_id == source.id);
        let columns = Axis::hour(me.now).events(minutes(), me.zone);
        let all: Vec<i64> = columns.iter().map(|column| column.value + column.above).collect();
        let heard = self.heard.iter().find(|last| last.source_id == source.id);
        let dead = self.dead.iter().find(|(id, _)| *id == source.id);
        SourceLine {
            heard: heard.map(|last| format::moment(last.minute, me.now, me.zone)),
            hour: Sum::of(minutes()),
            peak: all.iter().copied().max().unwrap_or(0),
            bars: SmallColumns::new(&all),
            accept: millis(of(&self.accept, source.id).percentile(95)),
            lag: millis(of(&self.lag, source.id).percentile(95)),
            dead: dead.map_or(0, |(_, letters)| *letters),
            source: source.clone(),
        }
    }
}

/// A source's measurement over all slots; they may be two when the time spans midnight.
fn of(slots: &[Slot], source: SourceId) -> Spread {
    let mut spread = Spread::default();
    slots.iter().filter(|slot| slot.source == source).for_each(|slot| spread.merge(&slot.spread));
    spread
}

struct SilentName {
    source_id: SourceId,
    source: String,
    name: String,
    silent: String,
}

/// What changes slowly; for the whole page alone.
struct Rest {
    lag: Columns,
    silent: Vec<SilentName>,
    closed: Vec<AlertLine>,
}

/// `GET /ingest`.
#[derive(Template)]
#[template(path = "ingest/health.html", blocks = ["numbers"])]
struct HealthPage {
    shell: Shell,
    status: Status,
    waiting: Waiting,
    lag: String,
    processed: Option<Moment>,
    alerts: Vec<AlertLine>,
    sources: Vec<SourceLine>,
    rest: Option<Rest>,
    may_manage_keys: bool,
}

/// The page, or its numbers alone for whoever polls.
pub async fn health(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    let polled = htmx.wants("numbers");
    let now = me.now;
    let (numbers, rest) = app
        .db
        .read_web(move |conn| {
            let numbers = Numbers::read(conn, now)?;
            let rest = if polled { None } else { Some(read_rest(conn, &numbers.sources, now)?) };
            Ok((numbers, rest))
        })
        .await?;
    let status = Status::of(&numbers.totals, me.now);
    let line = |alert: Alert| AlertLine::of(alert, &me);
    let page = HealthPage {
        shell: me.shell("Ingest").at(NavItem::Ingest),
        lag: span(TimeDelta::milliseconds(status.lag_ms)),
        processed: status.last_processed_at.map(|at| format::moment(at, me.now, me.zone)),
        sources: numbers.sources.iter().map(|source| numbers.line(source, &me)).collect(),
        alerts: numbers.alerts.iter().cloned().map(line).collect::<Result<_>>()?,
        waiting: numbers.waiting,
        status,
        rest: match rest {
            Some((lags, silent, closed)) => Some(Rest {
                lag: lag_chart(Axis::day(me.now), &lags, &me),
                silent: silent
                    .into_iter()
                    .map(|(source_id, name, silent)| SilentName {
                        source: name_of(&numbers.sources, source_id),
                        source_id,
                        name,
                        silent: span(silent),
                    })
                    .collect(),
                closed: closed.into_iter().map(line).collect::<Result<_>>()?,
            }),
            None => None,
        },
        may_manage_keys: me.may(May::ManageKeys),
    };
    if polled { answer::page(&page.as_numbers()) } else { answer::page(&page) }
}

type Silent = Vec<(SourceId, String, TimeDelta)>;

fn read_rest(
    conn: &mut PgConnection,
    sources: &[Source],
    now: chrono::DateTime<Utc>,
) -> Result<(Vec<Slot>, Silent, Vec<Alert>)> {
    let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    let axis = Axis::day(now);
    let lags = store_measures::slots(conn, &ids, Measure::Lag, axis.start, axis.slot)?;
    let today = now.date_naive();
    let since = today.checked_sub_days(names::HISTORY).unwrap_or(today);
    let mut silent = Vec::new();
    for source in sources {
        let days = store_names::days(conn, source.id, since)?;
        for days in days.chunk_by(|one, next| one.name == next.name) {
            if let (Some(day), Some(silence)) = (days.first(), names::silence(days, now)) {
                silent.push((source.id, day.name.clone(), silence));
            }
        }
    }
    silent.sort_by_key(|(_, _, silence)| *silence);
    Ok((lags, silent, store_alerts::closed(conn, 10)?))
}

/// The lag of a day: what 95 % of the events waited at most, and the worst on top.
pub(super) fn lag_chart(axis: Axis, slots: &[Slot], me: &Viewer) -> Columns {
    let parts = Names {
        slot: "From".into(),
        value: "95 % of the events within".into(),
        above: "the slowest on top".into(),
        expected: String::new(),
    };
    let columns = axis.measured(slots, me.zone);
    let note = "by the time of receipt";
    Columns::new("lag", "From receipt to projection, 24 hours", note, parts, &columns, |value| {
        span(TimeDelta::milliseconds(value))
    })
}
