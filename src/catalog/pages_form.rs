//! The form of one event: what was typed, what is wrong, what it would do.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::change::{self, Change};
use super::condition::Condition;
use super::event::{Category, Definition};
use super::operator::Op;
use super::pages::category_label;
use super::pages_forecast::{Forecast, forecast};
use super::store;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::web::answer;
use crate::web::form::Fields;
use crate::web::permit::{EditCatalog, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};
use chrono::{DateTime, Utc};

/// Empty rows below the conditions, so that more fit without JavaScript.
const SPARE: usize = 2;

/// What was typed, as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub key: String,
    pub label: String,
    pub category: String,
    pub is_key: bool,
    pub names: String,
    /// Path, operator, value.
    pub conditions: Vec<(String, String, String)>,
    pub value_property: String,
    pub feature_property: String,
    pub milestone: String,
    pub muted: bool,
    pub reason: String,
}

impl Typed {
    /// As a form sent it.
    pub fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        let rows = fields.all("path").zip(fields.all("op")).zip(fields.all("value"));
        Self {
            key: text("key"),
            label: text("label"),
            category: text("category"),
            is_key: fields.text("is_key") == "yes",
            names: text("names"),
            conditions: rows
                .map(|((path, op), value)| (path.to_owned(), op.to_owned(), value.to_owned()))
                .filter(|(path, _, value)| !path.trim().is_empty() || !value.trim().is_empty())
                .collect(),
            value_property: text("value_property"),
            feature_property: text("feature_property"),
            milestone: text("milestone"),
            muted: fields.text("muted") == "yes",
            reason: text("reason"),
        }
    }

    /// As a definition says it.
    pub fn of(definition: &Definition) -> Self {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            key: definition.key.clone(),
            label: definition.label.clone(),
            category: definition.category.as_str().to_owned(),
            is_key: definition.is_key,
            names: definition.names.join("\n"),
            conditions: definition
                .conditions
                .iter()
                .map(|one| (one.path.clone(), one.op.key().to_owned(), one.value.clone()))
                .collect(),
            value_property: or_empty(&definition.value_property),
            feature_property: or_empty(&definition.feature_property),
            milestone: or_empty(&definition.milestone),
            muted: definition.muted_at.is_some(),
            reason: String::new(),
        }
    }

    /// The definition that it spells; `was` is the one being edited, whose key stays.
    pub fn definition(&self, was: Option<&Definition>, now: DateTime<Utc>) -> Result<Definition> {
        let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let conditions = self.conditions.iter().map(|(path, op, value)| {
            let op = Op::named(op).ok_or_else(|| {
                Error::invalid("conditions", "Choose how the property is compared.")
            })?;
            Ok(Condition { path: path.clone(), op, value: value.clone() })
        });
        let category = Category::named(&self.category)
            .ok_or_else(|| Error::invalid("category", "Choose one of the list."))?;
        Ok(Definition {
            key: was.map_or_else(|| self.key.trim().to_owned(), |was| was.key.clone()),
            label: self.label.clone(),
            category,
            is_key: self.is_key,
            names: self.names.lines().map(str::to_owned).collect(),
            conditions: conditions.collect::<Result<_>>()?,
            value_property: some(&self.value_property),
            feature_property: some(&self.feature_property),
            milestone: some(&self.milestone),
            muted_at: self.muted.then(|| was.and_then(|was| was.muted_at).unwrap_or(now)),
        })
    }
}

/// One row of the conditions.
struct Row {
    place: usize,
    path: String,
    op: String,
    value: String,
    error: String,
}

/// `GET /settings/events/new`, `GET /settings/events/{key}`, and what their form answers with.
#[derive(Template)]
#[template(path = "catalog/form.html")]
pub(super) struct FormPage {
    shell: Shell,
    /// The key of the event being edited; empty for a new one.
    key: String,
    seen: i32,
    typed: Typed,
    rows: Vec<Row>,
    categories: Vec<(&'static str, &'static str)>,
    ops: [(Op, &'static str, &'static str); 11],
    milestones: [(&'static str, &'static str); 3],
    errors: FieldErrors,
    forecast: Option<Forecast>,
    /// What the change was that was looked at; empty before.
    looked: String,
    /// Why the preview is shown although it was to be saved.
    is_unseen: bool,
    conflict: Option<Conflict>,
    referrers: Vec<String>,
}

/// Somebody saved meanwhile.
pub(super) struct Conflict {
    pub text: String,
    /// The version in force by now.
    pub version: i32,
    /// What it changed.
    pub lines: Vec<String>,
}

impl FormPage {
    /// The form with what was typed.
    pub fn new(me: &Viewer, key: &str, seen: i32, typed: Typed, errors: FieldErrors) -> Self {
        let title = if key.is_empty() { "New event".to_owned() } else { format!("Event {key}") };
        let error = |place: usize| {
            errors.get(&format!("conditions.{place}")).map(|all| all.join(" ")).unwrap_or_default()
        };
        let filled = typed.conditions.iter().cloned();
        let empty = || (String::new(), "=".to_owned(), String::new());
        let rows = filled.chain(std::iter::repeat_with(empty).take(SPARE)).enumerate();
        Self {
            shell: me.shell(title).at(NavItem::Events),
            key: key.to_owned(),
            seen,
            rows: rows
                .map(|(place, (path, op, value))| Row {
                    place,
                    path,
                    op,
                    value,
                    error: error(place),
                })
                .collect(),
            typed,
            categories: Category::ALL.map(|one| (one.as_str(), category_label(one))).to_vec(),
            ops: Op::ALL,
            milestones: [
                ("", "No milestone"),
                ("primary", "Primary: it activates"),
                ("secondary", "Secondary"),
            ],
            errors,
            forecast: None,
            looked: String::new(),
            is_unseen: false,
            conflict: None,
            referrers: Vec::new(),
        }
    }

    /// With what it would do; `is_unseen` when it was to be saved without having been looked at.
    pub fn with_forecast(mut self, forecast: Forecast, looked: String, is_unseen: bool) -> Self {
        self.forecast = Some(forecast);
        self.looked = looked;
        self.is_unseen = is_unseen;
        self
    }

    /// With what somebody else did meanwhile.
    pub fn with_conflict(mut self, conflict: Conflict) -> Self {
        self.conflict = Some(conflict);
        self
    }

    /// With who refers to the event, so that it cannot be deleted.
    pub fn with_referrers(mut self, referrers: Vec<String>) -> Self {
        self.referrers = referrers;
        self
    }
}

/// What a link to the form may bring along.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A name, as it was sent.
    name: String,
    /// `yes`: it shall count nowhere.
    muted: String,
}

/// `GET /settings/events/new?name=`.
pub async fn new(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let seen = app.db.read_web(|conn| Ok(store::current(conn)?.0)).await?;
    let name: String = asked.name.chars().filter(|c| !c.is_control()).take(200).collect();
    let mut typed = Typed::of(&change::proposed(&name));
    if asked.muted == "yes" {
        typed = Typed { muted: true, is_key: false, category: "none".to_owned(), ..typed };
        typed.reason = format!("{} says nothing about use", name.trim());
    }
    answer::page(&FormPage::new(&me, "", seen, typed, FieldErrors::new()))
}

/// `GET /settings/events/{key}`; `?name=` adds a name to it.
pub async fn edit(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    key: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let wanted = key.into_inner();
    let key = wanted.clone();
    let ((seen, definitions), referrers) = app
        .db
        .read_web(move |conn| {
            Ok((store::current(conn)?, super::pages_referrers::of(conn, &wanted)?))
        })
        .await?;
    let definition = definitions.iter().find(|one| one.key == key).ok_or(Error::NotFound)?;
    let mut typed = Typed::of(definition);
    let name: String = asked.name.chars().filter(|c| !c.is_control()).take(200).collect();
    if !name.trim().is_empty() {
        typed.names = format!("{}\n{}", typed.names, name.trim()).trim().to_owned();
    }
    let page = FormPage::new(&me, &key, seen, typed, FieldErrors::new()).with_referrers(referrers);
    answer::page(&page)
}

/// The change that a form spells, and what it would do.
pub(super) fn look_ahead(
    conn: &mut diesel::PgConnection,
    typed: &Typed,
    key: &str,
    now: DateTime<Utc>,
) -> Result<(Change, Forecast)> {
    let (_, before) = store::current(conn)?;
    let change = change_of(&before, typed, key, now)?;
    let after = change.applied(&before).map_err(Error::Invalid)?;
    let edited = if key.is_empty() { typed.key.trim() } else { key };
    let forecast = forecast(conn, before, after, edited, now)?;
    Ok((change, forecast))
}

/// What stands for a change in its form, so that only what was looked at is saved: a hash of it, whatever
/// the time and the reason.
pub(super) fn looked(change: &Change) -> Result<String> {
    let (Change::Add(definition) | Change::Edit(definition)) = change else {
        return Ok(String::new());
    };
    let muted_at = definition.muted_at.map(|_| DateTime::UNIX_EPOCH);
    let text = serde_json::to_vec(&Definition { muted_at, ..definition.clone() });
    Ok(hex::encode(Sha256::digest(text.map_err(Error::internal)?)))
}

/// The change that a form spells.
pub(super) fn change_of(
    before: &[Definition],
    typed: &Typed,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Change> {
    if key.is_empty() {
        return Ok(Change::Add(typed.definition(None, now)?));
    }
    let was = before.iter().find(|one| one.key == key).ok_or(Error::NotFound)?;
    Ok(Change::Edit(typed.definition(Some(was), now)?))
}
