//! `GET /contacts`: the list, or only its rows for htmx.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use crate::app::App;
use crate::contacts::store_pages::{self, PAGE, Row};
use crate::error::Result;
use crate::identity::host;
use crate::identity::store_merges;
use crate::ids::AccountId;
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View};
use crate::web::shell::{NavItem, Shell};

/// Pairs that wait are counted no further.
const MOST: i64 = 100;

/// The query of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    after: String,
}

fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(320).collect();
    text.trim().to_owned()
}

fn href(search: &str, after: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("q", search), ("after", after)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { "/contacts".to_owned() } else { format!("/contacts?{query}") }
}

/// A contact as the list shows it.
struct Line {
    id: Uuid,
    title: String,
    email: String,
    private: bool,
    job_title: String,
    account: Option<(AccountId, String)>,
    users: i64,
    last: Moment,
}

#[derive(Template)]
#[template(path = "contacts/index.html", blocks = ["list", "more"])]
struct Index {
    shell: Shell,
    search: String,
    said: String,
    /// Pairs that may be one person, in words.
    waiting: Option<String>,
    lines: Vec<Line>,
    next: Option<String>,
    start: Option<String>,
    fragment: bool,
}

/// `GET /contacts`
///
/// # Errors
/// When the database fails.
pub async fn index(
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let (search, after) = (plain(&query.q), plain(&query.after));
    let (wanted, beyond) = (host::stored(&search).into_owned(), after.clone());
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX).saturating_add(1);
    let (mut rows, waiting) = app
        .db
        .read_web(move |conn| {
            let waiting = store_merges::waiting(conn, MOST)?;
            Ok((store_pages::page(conn, &wanted, &beyond, limit)?, waiting))
        })
        .await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| href(&search, &row.email));
    let page = Index {
        shell: me.shell("Contacts").at(NavItem::Contacts),
        said: if search.is_empty() {
            "Sorted by address, A to Z".to_owned()
        } else {
            format!("Contacts with “{search}”, sorted by address")
        },
        waiting: (waiting > 0).then(|| {
            let many = if waiting >= MOST { " or more" } else { "" };
            format!("{}{many}", format::count(waiting, "pair of users", "pairs of users"))
        }),
        start: (!after.is_empty()).then(|| href(&search, "")),
        lines: rows
            .into_iter()
            .map(|row| line(&row, format::moment(row.last_seen_at, me.now, me.zone)))
            .collect(),
        next,
        fragment: htmx.wants("rows") || htmx.wants("more"),
        search,
    };
    if htmx.wants("rows") {
        let mut response = answer::page(&page.as_list())?;
        if let Ok(href) = HeaderValue::from_str(&href(&page.search, "")) {
            response.headers_mut().insert(HeaderName::from_static("hx-push-url"), href);
        }
        return Ok(response);
    }
    if htmx.wants("more") {
        return answer::page(&page.as_more());
    }
    answer::page(&page)
}

fn line(row: &Row, last: Moment) -> Line {
    Line {
        id: row.id,
        title: row.title().to_owned(),
        email: row.email.clone(),
        private: row.email_kind == "personal",
        job_title: row.job_title.clone().unwrap_or_default(),
        account: row.account_id.zip(row.account.clone()),
        users: row.users,
        last,
    }
}
