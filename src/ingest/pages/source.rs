//! `GET /ingest/sources/{id}`: one source, its newest events, its names, its senders' clocks.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde::Deserialize;

use super::health::{AlertLine, lag_chart};
use super::millis;
use crate::app::App;
use crate::error::Result;
use crate::ids::SourceId;
use crate::ingest::alert::span;
use crate::ingest::hint;
use crate::ingest::measure::{Clocks, Measure, Spread};
use crate::ingest::minutes::{self, Axis, Sum};
use crate::ingest::names::{self, NameDay};
use crate::ingest::rhythm;
use crate::ingest::store_alerts::{self, Alert};
use crate::ingest::store_dead_letters::{self as letters, Chosen, DeadLetter};
use crate::ingest::store_measures::{self, Slot};
use crate::ingest::store_names::{self, EventName};
use crate::ingest::store_status::{self, Minute};
use crate::ingest::tail::{self, Latest};
use crate::sources::store::{self as sources, Source, WriteKey};
use crate::web::answer::{self, Htmx};
use crate::web::charts::{Columns, Names, SmallColumns};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// Names shown unless all are asked for, and days of their bars.
const NAMES: usize = 40;
const DAYS: usize = 14;
/// Dead letters beside the newest events, and how many are counted.
const REFUSED: i64 = 5;
const COUNTED: i64 = 10_000;

struct NameLine {
    name: EventName,
    first: Moment,
    last: Moment,
    silent: Option<String>,
    bars: SmallColumns,
    /// Of the last 14 days.
    recent: i64,
}

struct KeyLine {
    key: WriteKey,
    made: Moment,
    used: Option<Moment>,
}

struct LatestLine {
    event: Latest,
    received: Moment,
    /// How long it waits, while it does.
    waits: String,
    /// From when it happened to its receipt, when that is worth telling.
    late: String,
}

struct RefusedLine {
    letter: DeadLetter,
    code: String,
    received: Moment,
}

/// What is read every two seconds.
struct Newest {
    latest: Vec<Latest>,
    refused: Vec<DeadLetter>,
    dead: i64,
    minutes: Vec<Minute>,
    accept: Vec<Slot>,
    lag: Vec<Slot>,
}

/// What changes slowly.
struct Slow {
    day: Vec<Minute>,
    lag: Vec<Slot>,
    skew: Vec<Slot>,
    names: Vec<EventName>,
    days: Vec<NameDay>,
    keys: Vec<WriteKey>,
    alerts: Vec<Alert>,
    heard: Option<store_alerts::Heard>,
}

/// The part of the page that is not polled.
struct Rest {
    alerts: Vec<AlertLine>,
    day_sum: Sum,
    day: Columns,
    lag: Columns,
    skew: Columns,
    clocks: Option<Clocks>,
    names: Vec<NameLine>,
    more_names: i64,
    keys: Vec<KeyLine>,
    /// Since when silence raises an alarm, or from when on it will.
    learns_until: Option<Moment>,
    has_rhythm: bool,
}

#[derive(Template)]
#[template(path = "ingest/source.html", blocks = ["tail"])]
struct SourcePage {
    shell: Shell,
    source: Source,
    latest: Vec<LatestLine>,
    refused: Vec<RefusedLine>,
    dead: i64,
    hour_sum: Sum,
    hour: Columns,
    accept: String,
    lag: String,
    rest: Option<Rest>,
    may_manage_keys: bool,
}

/// How many names to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// `all`, or the most frequent.
    names: String,
}

/// The page, or its newest events alone for whoever polls.
pub async fn source(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<SourceId>,
    query: web::Query<Query>,
) -> Result<HttpResponse> {
    let (id, now, polled) = (id.into_inner(), me.now, htmx.wants("tail"));
    let (source, newest, slow) = app
        .db
        .read_web(move |conn| {
            let source = sources::find(conn, id)?;
            let newest = Newest::read(conn, id, now)?;
            let slow = if polled { None } else { Some(Slow::read(conn, id, now)?) };
            Ok((source, newest, slow))
        })
        .await?;
    let shown = if query.names == "all" { usize::MAX } else { NAMES };
    let rest = slow.map(|slow| slow.told(&me, shown)).transpose()?;
    let one = |slots: &[Slot]| {
        let mut spread = Spread::default();
        slots.iter().for_each(|slot| spread.merge(&slot.spread));
        millis(spread.percentile(95))
    };
    let page = SourcePage {
        shell: me.shell(source.name.clone()).at(NavItem::Ingest),
        hour_sum: Sum::of(newest.minutes.iter()),
        hour: events_chart(
            "hour",
            "Events a minute, last hour",
            Axis::hour(now),
            &newest.minutes,
            &me,
        ),
        accept: one(&newest.accept),
        lag: one(&newest.lag),
        dead: newest.dead,
        latest: newest.latest.into_iter().map(|event| LatestLine::of(event, &me)).collect(),
        refused: newest
            .refused
            .into_iter()
            .map(|letter| RefusedLine {
                code: hint::name(&letter.code),
                received: format::moment(letter.received_at, me.now, me.zone),
                letter,
            })
            .collect(),
        rest,
        may_manage_keys: me.may(May::ManageKeys),
        source,
    };
    if polled { answer::page(&page.as_tail()) } else { answer::page(&page) }
}

impl Newest {
    fn read(conn: &mut PgConnection, id: SourceId, now: DateTime<Utc>) -> Result<Self> {
        let axis = Axis::hour(now);
        let chosen = Chosen { source: Some(id), ..Chosen::default() };
        Ok(Self {
            latest: tail::newest(conn, id, now)?,
            refused: letters::page(conn, &chosen, None, REFUSED)?,
            dead: letters::count(conn, &chosen, COUNTED)?,
            minutes: store_status::slots(conn, id, axis.start, axis.slot)?,
            accept: store_measures::slots(conn, &[id], Measure::Accept, axis.start, 3_600)?,
            lag: store_measures::slots(conn, &[id], Measure::Lag, axis.start, 3_600)?,
        })
    }
}

impl LatestLine {
    fn of(event: Latest, me: &Viewer) -> Self {
        let late = event.received_at - event.at;
        Self {
            received: format::moment(event.received_at, me.now, me.zone),
            waits: if event.waits { span(me.now - event.received_at) } else { String::new() },
            late: if late >= TimeDelta::minutes(1) { span(late) } else { String::new() },
            event,
        }
    }
}

impl Slow {
    fn read(conn: &mut PgConnection, id: SourceId, now: DateTime<Utc>) -> Result<Self> {
        let axis = Axis::day(now);
        let today = now.date_naive();
        let since = today.checked_sub_days(names::HISTORY).unwrap_or(today);
        let of_source = |alert: &Alert| alert.source_id == Some(id);
        Ok(Self {
            day: store_status::slots(conn, id, axis.start, axis.slot)?,
            lag: store_measures::slots(conn, &[id], Measure::Lag, axis.start, axis.slot)?,
            skew: store_measures::slots(conn, &[id], Measure::Skew, axis.start, 86_400)?,
            names: store_names::of_source(conn, id)?,
            days: store_names::days(conn, id, since)?,
            keys: sources::list_write_keys(conn)?
                .into_iter()
                .filter(|key| key.source_id == id)
                .collect(),
            alerts: store_alerts::open(conn)?.into_iter().filter(of_source).collect(),
            heard: store_alerts::heard(conn)?.into_iter().find(|heard| heard.id == id),
        })
    }

    fn told(self, me: &Viewer, shown: usize) -> Result<Rest> {
        let axis = Axis::day(me.now);
        let mut skew = Spread::default();
        self.skew.iter().for_each(|slot| skew.merge(&slot.spread));
        let moment = |at| format::moment(at, me.now, me.zone);
        let more_names = i64::try_from(self.names.len().saturating_sub(shown)).unwrap_or(0);
        let learned = self.heard.map(|heard| heard.first + rhythm::LEARNING);
        Ok(Rest {
            alerts: self
                .alerts
                .into_iter()
                .map(|alert| AlertLine::of(alert, me))
                .collect::<Result<_>>()?,
            day_sum: Sum::of(self.day.iter()),
            day: events_chart(
                "day",
                "Events in quarters of an hour, 24 hours",
                axis,
                &self.day,
                me,
            ),
            lag: lag_chart(axis, &self.lag, me),
            clocks: Clocks::of(&skew),
            skew: skew_chart(&skew),
            names: self
                .names
                .into_iter()
                .take(shown)
                .map(|name| NameLine::of(name, &self.days, me))
                .collect(),
            more_names,
            keys: self
                .keys
                .into_iter()
                .map(|key| KeyLine {
                    made: moment(key.created_at),
                    used: key.last_used_at.map(moment),
                    key,
                })
                .collect(),
            has_rhythm: learned.is_some_and(|at| at <= me.now),
            learns_until: learned.map(moment),
        })
    }
}

impl NameLine {
    fn of(name: EventName, days: &[NameDay], me: &Viewer) -> Self {
        let of_name: Vec<NameDay> =
            days.iter().filter(|day| day.name == name.name).cloned().collect();
        let mut bars = [0_i64; DAYS];
        for day in &of_name {
            let back = usize::try_from((me.now.date_naive() - day.day).num_days()).ok();
            let place = back.and_then(|back| (DAYS - 1).checked_sub(back));
            if let Some(bar) = place.and_then(|place| bars.get_mut(place)) {
                *bar = day.events;
            }
        }
        let silent = names::silence(&of_name, me.now).filter(|_| !name.is_muted).map(span);
        Self {
            first: format::moment(name.first_received_at, me.now, me.zone),
            last: format::moment(name.last_received_at, me.now, me.zone),
            silent,
            bars: SmallColumns::new(&bars),
            recent: bars.iter().sum(),
            name,
        }
    }

    /// Where it is made a key event.
    fn add_href(&self) -> String {
        let name: String =
            url::form_urlencoded::byte_serialize(self.name.name.as_bytes()).collect();
        format!("/settings/events/new?name={name}")
    }
}

pub(super) fn events_chart(
    id: &str,
    title: &str,
    axis: Axis,
    minutes: &[Minute],
    me: &Viewer,
) -> Columns {
    let parts = Names {
        slot: "From".into(),
        value: "accepted".into(),
        above: "refused".into(),
        expected: String::new(),
    };
    let columns = axis.events(minutes.iter(), me.zone);
    Columns::new(id, title, "", parts, &columns, format::grouped)
}

fn skew_chart(skew: &Spread) -> Columns {
    let parts =
        Names { slot: "Sender’s clock".into(), value: "requests".into(), ..Names::default() };
    let title = "Senders’ clocks, 24 hours";
    let note = "what sentAt said beside the time of receipt, by request";
    Columns::new("skew", title, note, parts, &minutes::clocks(skew), format::grouped)
}
