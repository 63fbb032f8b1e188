//! Whose are the subscriptions that Stripe tells of? What is open, and one customer.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::store_unmapped::{self, Candidate, Told};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::domain::company_domain;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::shell::{NavItem, Shell};

/// A subscription as the tables show it.
struct Line {
    id: String,
    status: String,
    plan: String,
    mrr: String,
    seats: String,
    is_mapped: bool,
    /// Why it has no workspace, if it has none.
    why: String,
}

impl Line {
    fn of(told: &Told) -> Self {
        let money = format::money(told.mrr_cents, &told.currency.to_uppercase());
        Self {
            id: told.id.clone(),
            status: in_words(&told.status),
            plan: told.plan.clone().unwrap_or_default(),
            mrr: if told.livemode { money } else { format!("{money} (test)") },
            seats: told.seats.map(|seats| format::grouped(i64::from(seats))).unwrap_or_default(),
            is_mapped: told.is_mapped,
            why: match &told.named_workspace {
                Some(named) => {
                    format!("Its metadata name the workspace {named}, of which no event has come.")
                }
                None => "Its metadata name no workspace.".to_owned(),
            },
        }
    }
}

/// Where a customer's page is, whatever its id holds.
fn href(customer: &str, rest: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(customer.as_bytes()).collect();
    format!("/ingest/unmapped/{}{rest}", id.replace('+', "%20"))
}

/// A customer with what is open.
struct Customer {
    id: String,
    href: String,
    name: String,
    domain: String,
    heard: Moment,
    lines: Vec<Line>,
}

fn name_of(told: &Told) -> String {
    told.name.clone().unwrap_or_else(|| told.customer.clone())
}

/// A customer that a person mapped.
struct MappedLine {
    id: String,
    href: String,
    removal: String,
    name: String,
    workspace_id: String,
    workspace: String,
    by: String,
    at: Moment,
}

/// `GET /ingest/unmapped`
#[derive(Template)]
#[template(path = "subscriptions/unmapped.html")]
struct UnmappedPage {
    shell: Shell,
    customers: Vec<Customer>,
    mapped: Vec<MappedLine>,
}

/// `GET /ingest/unmapped`: customers whose workspace nobody knows, and those that people mapped.
///
/// # Errors
/// When the database fails.
pub async fn unmapped(app: web::Data<App>, me: Permit<SeeIngest>) -> Result<HttpResponse> {
    let (told, mapped) = app
        .db
        .read_web(|conn| Ok((store_unmapped::unmapped(conn)?, store_unmapped::mapped(conn)?)))
        .await?;
    let mut customers: Vec<Customer> = Vec::new();
    for one in &told {
        let line = Line::of(one);
        match customers.iter_mut().find(|customer| customer.id == one.customer) {
            Some(customer) => customer.lines.push(line),
            None => customers.push(Customer {
                id: one.customer.clone(),
                href: href(&one.customer, ""),
                name: name_of(one),
                domain: one.email_domain.clone().unwrap_or_default(),
                heard: format::moment(one.heard_at, me.now, me.zone),
                lines: vec![line],
            }),
        }
    }
    let mapped = mapped
        .into_iter()
        .map(|one| MappedLine {
            href: href(&one.id, ""),
            removal: href(&one.id, "/mapping/removal"),
            name: one.name.unwrap_or_else(|| one.id.clone()),
            id: one.id,
            workspace_id: one.workspace_id.to_string(),
            workspace: one.workspace,
            by: one.by.unwrap_or_else(|| "somebody".to_owned()),
            at: format::moment(one.at, me.now, me.zone),
        })
        .collect();
    let shell = me.shell("Unmapped subscriptions").at(NavItem::Ingest);
    answer::page(&UnmappedPage { shell, customers, mapped })
}

/// What was typed into the search.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    q: String,
}

/// `GET /ingest/unmapped/{customer}`, and what its form answers with.
#[derive(Template)]
#[template(path = "subscriptions/customer.html")]
pub(super) struct CustomerPage {
    shell: Shell,
    id: String,
    href: String,
    mapping: String,
    name: String,
    domain: String,
    lines: Vec<Line>,
    suggested: Vec<Candidate>,
    search: String,
    found: Vec<Candidate>,
    errors: FieldErrors,
}

impl CustomerPage {
    /// The page as it stands in the database.
    pub async fn load(app: &App, me: &Viewer, id: &str, search: &str) -> Result<Self> {
        let (customer, text) = (id.to_owned(), search.trim().to_owned());
        let wanted: String = text.chars().take(200).collect();
        let (told, suggested, found) = app
            .db
            .read_web(move |conn| {
                let told = store_unmapped::of_customer(conn, &customer)?;
                let first = told.first().ok_or(Error::NotFound)?;
                let domain = first.email_domain.as_deref().and_then(company_domain);
                let suggested =
                    store_unmapped::suggestions(conn, domain.as_deref(), first.name.as_deref())?;
                let found = if wanted.is_empty() {
                    Vec::new()
                } else {
                    store_unmapped::search(conn, &wanted)?
                };
                Ok((told, suggested, found))
            })
            .await?;
        let first = told.first().ok_or(Error::NotFound)?;
        let name = name_of(first);
        Ok(Self {
            shell: me.shell(format!("Whose is {name}?")).at(NavItem::Ingest),
            id: id.to_owned(),
            href: href(id, ""),
            mapping: href(id, "/mapping"),
            domain: first.email_domain.clone().unwrap_or_default(),
            name,
            lines: told.iter().map(Line::of).collect(),
            suggested,
            search: text,
            found,
            errors: FieldErrors::new(),
        })
    }

    /// With what is wrong.
    pub fn refused(mut self, errors: FieldErrors) -> Self {
        self.errors = errors;
        self
    }
}

/// `GET /ingest/unmapped/{customer}?q=`: what Stripe says, and which workspaces it may be.
///
/// # Errors
/// `NotFound` without such a customer; when the database fails.
pub async fn customer(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    id: web::Path<String>,
    query: web::Query<SearchQuery>,
) -> Result<HttpResponse> {
    answer::page(&CustomerPage::load(&app, &me, &id, &query.q).await?)
}
