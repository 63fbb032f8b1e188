//! `/notifications`: what the product has told oneself.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::store_notifications::{self as store, Notification};
use crate::app::App;
use crate::error::Result;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View};
use crate::web::shell::{NavItem, Shell};

/// So many stand on a page.
const PAGE: i64 = 50;
/// Where it is.
pub(super) const HERE: &str = "/notifications";

/// The query of the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    /// `all`, or those that are not read.
    show: String,
    /// The last one of the page before.
    after: Option<Uuid>,
}

/// One line.
struct Line {
    id: Uuid,
    what: &'static str,
    title: String,
    url: String,
    at: Moment,
    read: Option<Moment>,
}

/// `GET /notifications`
#[derive(Template)]
#[template(path = "tasks/notifications.html")]
struct NotificationsPage {
    shell: Shell,
    all: bool,
    lines: Vec<Line>,
    unread: u32,
    next: Option<String>,
    until: String,
}

/// What a kind is about, in words.
fn what(kind: &str) -> &'static str {
    match kind {
        "pql_assigned" => "New task",
        "ingest_alert" => "Ingestion",
        _ => "Message",
    }
}

/// `GET /notifications`: one's own.
///
/// # Errors
/// When the database fails.
pub async fn index(
    app: web::Data<App>,
    me: Permit<View>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (member, all, after) = (me.member, query.show == "all", query.after);
    let (mut found, unread) = app
        .db
        .read_web(move |conn| {
            Ok((
                store::of_member(conn, member, !all, after, PAGE + 1)?,
                store::count_unread(conn, member, format::GLANCE + 1)?,
            ))
        })
        .await?;
    let more = i64::try_from(found.len()).is_ok_and(|found| found > PAGE);
    found.truncate(usize::try_from(PAGE).unwrap_or_default());
    let show = if all { "show=all&" } else { "" };
    let last = found.last().filter(|_| more);
    let next = last.map(|last| format!("{HERE}?{show}after={}", last.id));
    let moment = |at: DateTime<Utc>| format::moment(at, me.now, me.zone);
    let line = |one: Notification| Line {
        id: one.id,
        what: what(&one.kind),
        at: moment(one.created_at),
        read: one.read_at.map(moment),
        title: one.title,
        url: one.url,
    };
    answer::page(&NotificationsPage {
        shell: me.shell("Notifications").at(NavItem::Notifications),
        all,
        lines: found.into_iter().map(line).collect(),
        unread,
        next,
        until: me.now.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}
