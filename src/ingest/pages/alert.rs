//! `GET /ingest/alerts/{id}`: what was not as usual, why it was flagged, what to do.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::health::lag_chart;
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::ids::SourceId;
use crate::ingest::alert::Facts;
use crate::ingest::measure::Measure;
use crate::ingest::minutes::Axis;
use crate::ingest::rhythm::Rhythm;
use crate::ingest::store_alerts::{self as alerts, Alert};
use crate::ingest::{store_measures, store_status, watch};
use crate::sources::store as sources;
use crate::tasks::store_notifications;
use crate::web::answer;
use crate::web::charts::{Columns, Names};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::shell::{NavItem, Shell};

/// The page of an alert.
#[derive(Template)]
#[template(path = "ingest/alert.html")]
pub struct AlertPage {
    shell: Shell,
    title: String,
    why: String,
    next: &'static str,
    alert: Alert,
    opened: Moment,
    closed: Option<Moment>,
    acknowledged: Option<Moment>,
    chart: Columns,
    note: String,
    errors: FieldErrors,
}

/// The page; whoever was told of it has seen it now.
pub async fn alert(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let page = AlertPage::load(&app, &me, id).await?;
    let (member, now) = (me.member, me.now);
    let url = format!("/ingest/alerts/{id}");
    app.db.tx_web(move |conn| store_notifications::mark_read(conn, member, &url, now)).await?;
    answer::page(&page)
}

impl AlertPage {
    /// The page of this alert.
    ///
    /// # Errors
    /// [`crate::error::Error::NotFound`] when there is none.
    pub async fn load(app: &App, me: &Viewer, id: Uuid) -> Result<Self> {
        let viewer = me.clone();
        let (alert, facts, chart) = app
            .db
            .read_web(move |conn| {
                let alert = alerts::find(conn, id)?;
                let facts = alert.facts()?;
                let chart = chart(conn, &alert, &facts, &viewer)?;
                Ok((alert, facts, chart))
            })
            .await?;
        let moment = |at| format::moment(at, me.now, me.zone);
        let title = facts.title(&alert.source);
        Ok(Self {
            shell: me.shell(title.clone()).at(NavItem::Ingest),
            why: facts.why(alert.opened_at),
            next: facts.next(),
            opened: moment(alert.opened_at),
            closed: alert.closed_at.map(moment),
            acknowledged: alert.acknowledged_at.map(moment),
            note: String::new(),
            errors: FieldErrors::new(),
            title,
            alert,
            chart,
        })
    }

    /// The same with what is wrong with the form, and what was typed.
    #[must_use]
    pub fn refused(mut self, errors: FieldErrors, note: &str) -> Self {
        self.errors = errors;
        note.clone_into(&mut self.note);
        self
    }
}

/// What the alert saw, with the time in question tinted.
fn chart(conn: &mut PgConnection, alert: &Alert, facts: &Facts, me: &Viewer) -> Result<Columns> {
    let end = alert.closed_at.unwrap_or(me.now);
    match (*facts, alert.source_id) {
        (Facts::Silent { since, .. }, Some(source)) => silence(conn, source, since, end, me),
        (Facts::Refused { .. }, Some(source)) => {
            let axis = Axis::day(end);
            let slots = store_status::slots(conn, source, axis.start, axis.slot)?;
            let mut columns = axis.events(slots.iter(), me.zone);
            let from = axis.place(alert.opened_at - TimeDelta::minutes(15)).unwrap_or(0);
            columns.iter_mut().skip(from).for_each(|column| column.marked = true);
            let parts = Names {
                slot: "From".into(),
                value: "accepted".into(),
                above: "refused".into(),
                expected: String::new(),
            };
            let title = "Events in quarters of an hour";
            let note = "tinted: since a quarter of an hour before the alert";
            Ok(Columns::new("chart", title, note, parts, &columns, format::grouped))
        }
        _ => {
            let axis = Axis::day(end);
            let ids: Vec<SourceId> = sources::list(conn)?.iter().map(|source| source.id).collect();
            let slots = store_measures::slots(conn, &ids, Measure::Lag, axis.start, axis.slot)?;
            Ok(lag_chart(axis, &slots, me))
        }
    }
}

/// A week of hours: in how many minutes something arrived, and in how many it usually does.
fn silence(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
    end: DateTime<Utc>,
    me: &Viewer,
) -> Result<Columns> {
    let axis = Axis::ending(end, 3_600, 168);
    let heard = alerts::hours(conn, source, axis.start)?;
    let rhythm = rhythm_before(conn, source, since)?;
    let mut columns = axis.columns(me.zone);
    for hour in heard {
        if let Some(column) = axis.place(hour.at).and_then(|at| columns.get_mut(at)) {
            column.value = hour.minutes;
        }
    }
    for (place, column) in (0_i64..).zip(columns.iter_mut()) {
        let at = axis.start + TimeDelta::hours(place);
        let usual = rhythm.as_ref().map(|rhythm| rhythm.in_hour(at));
        column.expected = usual.and_then(|usual| format!("{usual:.0}").parse().ok());
        column.marked = at + TimeDelta::hours(1) > since && at < end;
    }
    let parts = Names {
        slot: "From".into(),
        value: "minutes with events".into(),
        above: String::new(),
        expected: "usual in that hour of the week".into(),
    };
    let title = "Minutes with events, by the hour";
    let note = "tinted: the silence";
    Ok(Columns::new("chart", title, note, parts, &columns, format::grouped))
}

/// What was usual when the silence began.
fn rhythm_before(
    conn: &mut PgConnection,
    source: SourceId,
    since: DateTime<Utc>,
) -> Result<Option<Rhythm>> {
    let heard = alerts::heard(conn)?.into_iter().find(|heard| heard.id == source);
    match heard {
        Some(heard) => watch::rhythm(conn, &alerts::Heard { last: since, ..heard }),
        None => Ok(None),
    }
}
