//! `GET /accounts`: the list, or only its rows for htmx.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::accounts::store_pages::{self, Counts, Cursor, Order, PAGE, Row};
use crate::app::App;
use crate::error::Result;
use crate::identity::host;
use crate::web::answer::{self, Htmx};
use crate::web::format;
use crate::web::permit::{Permit, View};
use crate::web::shell::{NavItem, Shell};

/// The query of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    sort: String,
    after: String,
}

impl ListQuery {
    fn search(&self) -> String {
        let plain: String = self.q.chars().filter(|c| !c.is_control()).take(200).collect();
        plain.trim().to_owned()
    }

    fn order(&self) -> Order {
        if self.sort == "name" { Order::Name } else { Order::Score }
    }

    /// `<hundredths>~<uuid>`, without a number after the last account that has a score.
    fn after(&self) -> Option<Cursor> {
        let (score, id) = self.after.split_once('~')?;
        let score = if score.is_empty() { None } else { Some(score.parse().ok()?) };
        Some(Cursor { score: score.filter(|_| self.order() == Order::Score), id: id.parse().ok()? })
    }

    fn href(search: &str, order: Order, after: Option<Cursor>) -> String {
        let mut query = Serializer::new(String::new());
        if !search.is_empty() {
            query.append_pair("q", search);
        }
        if order == Order::Name {
            query.append_pair("sort", "name");
        }
        if let Some(Cursor { score, id }) = after {
            let score = score.map(|score| score.to_string()).unwrap_or_default();
            query.append_pair("after", &format!("{score}~{id}"));
        }
        let query = query.finish();
        if query.is_empty() { "/accounts".to_owned() } else { format!("/accounts?{query}") }
    }
}

#[derive(Template)]
#[template(path = "accounts/index.html", blocks = ["list", "more"])]
struct Index {
    shell: Shell,
    search: String,
    by_name: bool,
    said: String,
    counts: Counts,
    rows: Vec<Row>,
    next: Option<String>,
    start: Option<String>,
    fragment: bool,
}

/// `GET /accounts`
///
/// # Errors
/// When the database fails.
pub async fn index(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let (search, order, after) = (query.search(), query.order(), query.after());
    let wanted = host::stored(&search).into_owned();
    let (mut rows, counts) = app
        .db
        .read_web(move |conn| {
            Ok((store_pages::page(conn, &wanted, order, after)?, store_pages::counts(conn)?))
        })
        .await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| {
        let score = row.score.filter(|_| order == Order::Score);
        ListQuery::href(&search, order, Some(Cursor { score, id: row.id }))
    });
    let by_name = order == Order::Name;
    let sorted = if by_name { "name, A to Z" } else { "account score, high to low" };
    let what = if search.is_empty() {
        format::count(counts.accounts, "account", "accounts")
    } else {
        format!("accounts with “{search}”")
    };
    let page = Index {
        shell: me.shell("Accounts").at(NavItem::Accounts),
        said: format!("{what}, sorted by {sorted}"),
        start: after.map(|_| ListQuery::href(&search, order, None)),
        by_name,
        counts,
        rows,
        next,
        fragment: htmx.wants("rows") || htmx.wants("more"),
        search,
    };
    if htmx.wants("rows") {
        let mut response = answer::page(&page.as_list())?;
        let href = ListQuery::href(&page.search, order, None);
        if let Ok(href) = HeaderValue::from_str(&href) {
            response.headers_mut().insert(HeaderName::from_static("hx-push-url"), href);
        }
        return Ok(response);
    }
    if htmx.wants("more") {
        return answer::page(&page.as_more());
    }
    answer::page(&page)
}
