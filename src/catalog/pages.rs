//! The catalog's pages: the list of events, the versions.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Days;
use serde::Deserialize;

use super::change::key_events;
use super::event::{Category, Definition};
use super::matching::folded;
use super::pages_rebuild::Rebuild;
use super::store::{self, Version};
use super::store_heard::{self, Heard};
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::web::answer::{self, Htmx};
use crate::web::charts::Sparkline;
use crate::web::format::{self, Moment};
use crate::web::permit::{EditCatalog, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};

/// Days whose events are counted and drawn.
const DAYS: u64 = 30;
/// Versions in the list; older ones have their addresses.
const VERSIONS: i64 = 20;
/// Unknown names in the list, the most frequent first.
const UNKNOWN: usize = 100;

/// The name of a category for people.
pub(super) fn category_label(category: Category) -> &'static str {
    match category {
        Category::Activation => "Activation",
        Category::Depth => "Depth of use",
        Category::Expansion => "Expansion",
        Category::Intent => "Intent",
        Category::Negative => "Negative",
        Category::None => "No category",
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

struct Group {
    key: &'static str,
    label: &'static str,
    count: i64,
    events: Vec<Line>,
}

struct Line {
    event: Definition,
    conditions: Vec<String>,
    last: Option<Moment>,
    volume: i64,
    spark: Option<Sparkline>,
}

struct Unknown {
    name: String,
    last: Moment,
    volume: i64,
    spark: Sparkline,
}

pub(super) struct VersionLine {
    version: Version,
    at: Moment,
}

/// `GET /settings/events`.
#[derive(Template)]
#[template(path = "catalog/index.html", blocks = ["events"])]
struct Index {
    shell: Shell,
    version: i32,
    search: String,
    key_events: i64,
    warning: Option<String>,
    groups: Vec<Group>,
    unknown: Vec<Unknown>,
    more_unknown: i64,
    versions: Vec<VersionLine>,
    rebuild: Rebuild,
}

/// What may be asked of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

/// The list of events, or its part that a search changes.
pub async fn index(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let csrf = me.csrf.clone();
    let today = me.now.date_naive();
    let first = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let ((version, definitions), heard, versions, rebuild) = app
        .db
        .read_web(move |conn| {
            let current = store::current(conn)?;
            let rebuild = Rebuild::read(conn, current.0, csrf.clone())?;
            Ok((
                current,
                store_heard::names(conn, first, today)?,
                store::versions(conn, VERSIONS)?,
                rebuild,
            ))
        })
        .await?;
    let search = asked.q.trim().to_owned();
    let (count, warning) = key_events(&definitions);
    let (groups, unknown) = sorted(&me, definitions, heard, &folded(&search));
    let page = Index {
        shell: me.shell("Event catalog").at(NavItem::Events),
        version,
        search,
        key_events: number(count),
        warning,
        rebuild,
        groups,
        more_unknown: number(unknown.len().saturating_sub(UNKNOWN)),
        unknown: unknown.into_iter().take(UNKNOWN).collect(),
        versions: versions
            .into_iter()
            .map(|version| VersionLine {
                at: format::moment(version.created_at, me.now, me.zone),
                version,
            })
            .collect(),
    };
    if htmx.wants("events") { answer::page(&page.as_events()) } else { answer::page(&page) }
}

/// Events by category and names that nobody has defined, as far as they hold what was searched for.
fn sorted(
    me: &Viewer,
    definitions: Vec<Definition>,
    heard: Vec<Heard>,
    search: &str,
) -> (Vec<Group>, Vec<Unknown>) {
    let claimed: BTreeMap<String, String> = definitions
        .iter()
        .flat_map(|one| one.all_names().map(|name| (folded(name), one.key.clone())))
        .collect();
    let mut known: BTreeMap<String, Vec<Heard>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for one in heard {
        match claimed.get(&folded(&one.name)) {
            Some(key) => known.entry(key.clone()).or_default().push(one),
            None if one.was_unknown && folded(&one.name).contains(search) => {
                unknown.push(Unknown {
                    last: format::moment(one.last_at, me.now, me.zone),
                    volume: one.days.iter().sum(),
                    spark: spark(&one.days),
                    name: one.name,
                });
            }
            // Of a definition that is gone; it comes no more.
            None => {}
        }
    }
    let holds = |event: &Definition| {
        folded(&event.label).contains(search)
            || event.all_names().any(|name| folded(name).contains(search))
    };
    let mut groups: Vec<Group> = Category::ALL
        .into_iter()
        .map(|category| Group {
            key: category.as_str(),
            label: category_label(category),
            count: 0,
            events: definitions
                .iter()
                .filter(|event| event.category == category && holds(event))
                .map(|event| {
                    let heard = known.get(&event.key).map(Vec::as_slice).unwrap_or_default();
                    let days = sum(heard);
                    Line {
                        conditions: event.conditions.iter().map(|one| one.to_words()).collect(),
                        last: heard
                            .iter()
                            .map(|one| one.last_at)
                            .max()
                            .map(|at| format::moment(at, me.now, me.zone)),
                        volume: days.iter().sum(),
                        spark: (!heard.is_empty()).then(|| spark(&days)),
                        event: event.clone(),
                    }
                })
                .collect(),
        })
        .collect();
    groups.retain(|group| !group.events.is_empty());
    for group in &mut groups {
        group.count = number(group.events.len());
    }
    (groups, unknown)
}

/// Day by day, over the names that one event came under.
fn sum(heard: &[Heard]) -> Vec<i64> {
    let mut days: Vec<i64> = Vec::new();
    for one in heard {
        days.resize(days.len().max(one.days.len()), 0);
        for (sum, events) in days.iter_mut().zip(&one.days) {
            *sum = sum.saturating_add(*events);
        }
    }
    days
}

/// The days as a line; its height says nothing, the number beside it does.
fn spark(days: &[i64]) -> Sparkline {
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    let height = |events: &i64| i32::try_from(events.saturating_mul(10_000) / most).unwrap_or(0);
    Sparkline::new(&days.iter().map(height).collect::<Vec<_>>())
}

/// `GET /settings/events/versions/{n}`.
#[derive(Template)]
#[template(path = "catalog/version.html")]
pub(super) struct VersionPage {
    shell: Shell,
    version: i32,
    current: i32,
    by: String,
    at: Moment,
    reason: String,
    changes: Vec<String>,
    document: String,
    why: String,
    errors: FieldErrors,
}

impl VersionPage {
    /// The version with what it changed; `why` and `errors` when a roll-back was refused.
    pub async fn load(
        app: &App,
        me: &Viewer,
        number: i32,
        why: String,
        errors: FieldErrors,
    ) -> Result<Self> {
        let (version, definitions, before, current) = app
            .db
            .read_web(move |conn| {
                let definitions = store::version(conn, number)?;
                let before =
                    if number > 1 { store::version(conn, number - 1)? } else { Vec::new() };
                let version = store::one_version(conn, number)?;
                Ok((version, definitions, before, store::current(conn)?.0))
            })
            .await?;
        Ok(Self {
            shell: me.shell(format!("Catalog version {number}")).at(NavItem::Events),
            version: number,
            current,
            by: version.actor,
            at: format::moment(version.created_at, me.now, me.zone),
            reason: version.reason,
            changes: if number > 1 { differences(&before, &definitions) } else { Vec::new() },
            document: serde_json::to_string_pretty(&definitions)
                .map_err(crate::error::Error::internal)?,
            why,
            errors,
        })
    }
}

/// One version of the catalog.
pub async fn version(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    number: web::Path<i32>,
) -> Result<HttpResponse> {
    let page = VersionPage::load(&app, &me, *number, String::new(), FieldErrors::new()).await?;
    answer::page(&page)
}

/// What changed from one document to the next, a sentence an event.
pub(super) fn differences(before: &[Definition], after: &[Definition]) -> Vec<String> {
    let find = |all: &[Definition], key: &str| all.iter().find(|one| one.key == key).cloned();
    let mut lines = Vec::new();
    for now in after {
        match find(before, &now.key) {
            None => lines.push(format!("{} ({}) is new", now.label, now.key)),
            Some(was) if was != *now => {
                lines.push(format!("{} ({}): {}", now.label, now.key, changed(&was, now)));
            }
            Some(_) => {}
        }
    }
    for was in before.iter().filter(|was| find(after, &was.key).is_none()) {
        lines.push(format!("{} ({}) is gone", was.label, was.key));
    }
    if lines.is_empty() && before != after {
        lines.push("The order of the events".to_owned());
    }
    lines
}

fn changed(was: &Definition, now: &Definition) -> String {
    let conditions = |one: &Definition| {
        one.conditions.iter().map(|one| one.to_words()).collect::<Vec<_>>().join(" and ")
    };
    let flag = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        ("label", was.label.clone(), now.label.clone()),
        (
            "category",
            category_label(was.category).to_owned(),
            category_label(now.category).to_owned(),
        ),
        ("key event", flag(was.is_key), flag(now.is_key)),
        ("names", was.names.join(", "), now.names.join(", ")),
        ("conditions", conditions(was), conditions(now)),
        ("value", or_none(&was.value_property), or_none(&now.value_property)),
        ("feature", or_none(&was.feature_property), or_none(&now.feature_property)),
        ("milestone", or_none(&was.milestone), or_none(&now.milestone)),
        ("muted", flag(was.muted_at.is_some()), flag(now.muted_at.is_some())),
    ];
    let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    let parts: Vec<String> = fields
        .iter()
        .filter(|(_, was, now)| was != now)
        .map(|(field, was, now)| format!("{field} from {} to {}", shown(was), shown(now)))
        .collect();
    parts.join("; ")
}

/// `GET /settings/events/mapping?name=`: of which event a name is another name.
#[derive(Template)]
#[template(path = "catalog/mapping.html")]
struct Mapping {
    shell: Shell,
    name: String,
    /// The events of each category: key and label.
    groups: Vec<(&'static str, Vec<(String, String)>)>,
}

/// What is asked of the mapping.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    name: String,
}

/// The events that a name can be mapped to.
pub async fn mapping(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    asked: web::Query<Named>,
) -> Result<HttpResponse> {
    let name: String = asked.name.chars().filter(|c| !c.is_control()).take(200).collect();
    if name.trim().is_empty() {
        // The list is where a name is chosen.
        return Ok(answer::see_other("/settings/events#unknown"));
    }
    let (_, definitions) = app.db.read_web(store::current).await?;
    let of = |category| {
        definitions
            .iter()
            .filter(|one| one.category == category)
            .map(|one| (one.key.clone(), one.label.clone()))
            .collect::<Vec<_>>()
    };
    let groups = Category::ALL.into_iter().map(|one| (category_label(one), of(one)));
    answer::page(&Mapping {
        shell: me.shell("Map a name").at(NavItem::Events),
        groups: groups.filter(|(_, events)| !events.is_empty()).collect(),
        name,
    })
}
