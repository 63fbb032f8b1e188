//! `/settings/plans`: which names of plans are of which tier.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::plan::PlanList;
use super::store::{self, Kept};
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{EditCatalog, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};

/// The lists as the form has them, one entry a line.
struct Typed {
    not_paid: String,
    trial: String,
    free: String,
    enterprise: String,
    pro: String,
}

/// A name that was tried, and its tier.
struct Tried {
    name: String,
    tier: &'static str,
}

/// `GET /settings/plans` and what its form answers with.
#[derive(Template)]
#[template(path = "plans/plans.html")]
pub(super) struct Page {
    shell: Shell,
    version: i32,
    is_default: bool,
    is_applied: bool,
    changed: Option<Moment>,
    lists: Typed,
    errors: FieldErrors,
    typed_name: String,
    tried: Option<Tried>,
}

impl Page {
    /// As things stand, or with what was typed.
    pub fn new(
        me: &Viewer,
        kept: &Kept,
        typed: impl Fn(&str) -> Option<String>,
        errors: FieldErrors,
    ) -> Self {
        let list = &kept.list;
        let text =
            |name: &str, entries: &[String]| typed(name).unwrap_or_else(|| entries.join("\n"));
        Self {
            shell: me.shell("Plans").at(NavItem::Plans),
            version: kept.version,
            is_default: kept.is_default,
            is_applied: kept.applied_version >= kept.version,
            changed: kept.changed_at.map(|at| format::moment(at, me.now, me.zone)),
            lists: Typed {
                not_paid: text("not_paid", &list.not_paid),
                trial: text("trial", &list.trial),
                free: text("free", &list.free),
                enterprise: text("enterprise", &list.enterprise),
                pro: text("pro", &list.pro),
            },
            errors,
            typed_name: String::new(),
            tried: None,
        }
    }

    /// With the tier of a name.
    fn with_tried(mut self, name: &str, list: &PlanList) -> Self {
        let tier = list.read(name).tier;
        self.typed_name = name.to_owned();
        self.tried = Some(Tried { name: name.to_owned(), tier });
        self
    }
}

/// What is asked of the page.
#[derive(Debug, serde::Deserialize)]
pub struct Asked {
    #[serde(default)]
    name: String,
}

/// `GET /settings/plans?name=`: the lists, and the tier of a name.
pub async fn plans(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let kept = app.db.read_web(store::load).await?;
    let page = Page::new(&me, &kept, |_| None, FieldErrors::new());
    let name: String = asked.name.trim().chars().take(200).collect();
    let page = if name.is_empty() { page } else { page.with_tried(&name, &kept.list) };
    answer::page(&page)
}
