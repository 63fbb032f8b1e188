//! The assignment view: PQLs that nobody owns beside the people who could take them.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::PgConnection;
use serde::Deserialize;

use super::eligibility::Candidate;
use super::store;
use super::store_board::{self, Order, SHOWN, Unowned};
use crate::app::App;
use crate::error::Result;
use crate::ids::{MemberId, WorkspaceId};
use crate::routing::ops::{Suggestion, suggest};
use crate::routing::rule::Destination;
use crate::web::answer::{self, Htmx};
use crate::web::charts::{Load, Sparkline};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// The query of the view.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct BoardQuery {
    /// `-score` or `wait`.
    sort: String,
}

impl BoardQuery {
    pub(super) fn sorted(sort: &str) -> Self {
        Self { sort: sort.to_owned() }
    }

    fn order(&self) -> Order {
        if self.sort == "wait" { Order::Wait } else { Order::Score }
    }
}

/// One PQL that nobody owns.
pub(super) struct Row {
    id: WorkspaceId,
    name: String,
    account: Option<String>,
    stage: String,
    score: i32,
    change: i32,
    spark: Sparkline,
    reason: String,
    waiting: Moment,
    destination: &'static str,
    unowned_reason: String,
    suggestion: Suggestion,
}

impl Row {
    fn new(row: Unowned, suggestion: Option<Suggestion>, viewer: &Viewer) -> Self {
        let destination = row.destination.as_deref().and_then(Destination::from_key);
        Self {
            id: row.id,
            name: row.name,
            account: row.account,
            stage: row.stage,
            score: row.score,
            change: row.change,
            spark: Sparkline::new(&row.sparkline),
            reason: row.reasons.into_iter().take(2).collect::<Vec<_>>().join("; "),
            waiting: format::moment(row.waiting_since, viewer.now, viewer.zone),
            destination: destination.map_or("not routed yet", Destination::label),
            unowned_reason: row.unowned_reason.unwrap_or_default(),
            suggestion: suggestion.unwrap_or(Suggestion {
                member: None,
                name: String::new(),
                brief: "Not scored yet".to_owned(),
                reason: "Not scored yet.".to_owned(),
            }),
        }
    }

    /// The value of the hidden field that remembers what was suggested.
    fn hint(&self) -> Option<String> {
        self.suggestion.member.map(|member| format!("{}:{member}", self.id))
    }
}

/// Somebody who can be given a PQL.
pub(super) struct Rep {
    id: MemberId,
    name: String,
    function: &'static str,
    territories: String,
    load: Load,
    away: Option<String>,
}

impl Rep {
    fn new(one: Candidate) -> Self {
        Self {
            id: one.id,
            name: one.name,
            function: one.function.map_or("", |function| function.label()),
            territories: one.territories.join(", "),
            load: Load::new(one.open_pqls, Some(one.capacity)),
            away: one.away_until.map(|until| until.format("%-d %B").to_string()),
        }
    }
}

/// What an assignment did, told on top of the rows that are left.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// What was done.
    pub done: String,
    /// What was not, and why, one a workspace.
    pub refused: Vec<String>,
}

impl Report {
    /// One line for a page that comes after a redirect.
    pub fn line(&self) -> String {
        let mut parts = vec![self.done.clone()];
        parts.extend(self.refused.iter().cloned());
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }
}

/// `GET /assign`, and its rows after a change.
#[derive(Template)]
#[template(path = "ownership/board.html", blocks = ["rows"])]
pub(super) struct Board {
    shell: Shell,
    rows: Vec<Row>,
    reps: Vec<Rep>,
    total: u32,
    sort: String,
    may_assign: bool,
    may_take: bool,
    report: Option<Report>,
}

impl Board {
    fn truncated(&self) -> Option<String> {
        let shown = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        (self.total > shown)
            .then(|| format!("The first {SHOWN} of {}: assign some to see the others.", self.total))
    }
}

type Read = (Vec<Unowned>, BTreeMap<WorkspaceId, Suggestion>, Vec<Candidate>, u32);

fn read(conn: &mut PgConnection, viewer: &Viewer, order: Order) -> Result<Read> {
    let rows = store_board::unowned(conn, order)?;
    let ids: Vec<WorkspaceId> = rows.iter().map(|row| row.id).collect();
    let suggestions = suggest(conn, &ids, viewer.now)?;
    let team = store::candidates(conn, viewer.now)?;
    let total = store_board::count(conn)?;
    Ok((rows, suggestions, team, total))
}

pub(super) async fn board(
    app: &App,
    viewer: &Viewer,
    query: &BoardQuery,
    report: Option<Report>,
) -> Result<Board> {
    let (asked, order) = (viewer.clone(), query.order());
    let (rows, mut suggestions, mut team, total) =
        app.db.read_web(move |conn| read(conn, &asked, order)).await?;
    team.retain(|one| one.active && one.function.is_some());
    team.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    let shell = viewer.shell("Assign").at(NavItem::Assign);
    Ok(Board {
        shell,
        rows: rows
            .into_iter()
            .map(|row| {
                let suggestion = suggestions.remove(&row.id);
                Row::new(row, suggestion, viewer)
            })
            .collect(),
        reps: team.into_iter().map(Rep::new).collect(),
        total,
        sort: if order == Order::Wait { "wait".to_owned() } else { "-score".to_owned() },
        may_assign: viewer.may(May::Assign),
        may_take: viewer.may(May::HandleLeads),
        report,
    })
}

/// `GET /assign`.
pub async fn index(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    query: web::Query<BoardQuery>,
) -> Result<HttpResponse> {
    let page = board(&app, &me, &query, None).await?;
    if htmx.wants("rows") { answer::page(&page.as_rows()) } else { answer::page(&page) }
}
