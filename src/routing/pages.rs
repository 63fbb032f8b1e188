//! The rules as sentences, and the log of decisions. Read-only.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::explained::Explained;
use super::rule::RuleSet;
use super::{defaults, store, store_log};
use crate::app::App;
use crate::error::Result;
use crate::ids::DecisionId;
use crate::web::answer;
use crate::web::permit::{Permit, View};
use crate::web::shell::{NavItem, Shell};

const PAGE: usize = 50;

/// The two pages of routing, as tabs.
const TABS: [(&str, &str, &str); 2] =
    [("/routing", "Rules", ""), ("/routing/log", "Decisions", "")];

/// `GET /routing`.
#[derive(Template)]
#[template(path = "routing/rules.html")]
struct Rules {
    shell: Shell,
    tabs: [(&'static str, &'static str, &'static str); 2],
    version: i32,
    rules: RuleSet,
}

/// `GET /routing`: the published rules in order.
pub async fn rules(app: web::Data<App>, me: Permit<View>) -> Result<HttpResponse> {
    let published = app.db.read_web(store::published).await?;
    let (version, rules) = published.unwrap_or_else(|| (0, defaults::rule_set()));
    let shell = me.shell("Routing").at(NavItem::Routing);
    answer::page(&Rules { shell, tabs: TABS, version, rules })
}

/// The query of the log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    after: String,
}

/// `GET /routing/log`.
#[derive(Template)]
#[template(path = "routing/log.html")]
struct Log {
    shell: Shell,
    tabs: [(&'static str, &'static str, &'static str); 2],
    decisions: Vec<Explained>,
    next: String,
    first: String,
}

/// `GET /routing/log`: the newest decisions first.
pub async fn log(
    app: web::Data<App>,
    me: Permit<View>,
    query: web::Query<LogQuery>,
) -> Result<HttpResponse> {
    let after = query.after.parse::<DecisionId>().ok();
    let mut found = app.db.read_web(move |conn| store_log::log(conn, after, 51)).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = match found.last() {
        Some(last) if more => format!("/routing/log?after={}", last.id),
        _ => String::new(),
    };
    let decisions =
        found.into_iter().map(|one| Explained::new(one, &me, true)).collect::<Result<Vec<_>>>()?;
    let shell = me.shell("Routing decisions").at(NavItem::Routing);
    let first = if after.is_some() { "/routing/log".to_owned() } else { String::new() };
    answer::page(&Log { shell, tabs: TABS, decisions, next, first })
}
