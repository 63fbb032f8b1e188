//! The pages of the scoring model: the editor, the publication of a draft, the versions.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use diesel::PgConnection;
use serde_json::json;

use super::difference::{self, Line};
use super::impact::Impact;
use super::jobs::RESCORE;
use super::lint::Warning;
use super::model::Model;
use super::ops_models::{self, Desk};
use super::ops_preview;
use super::pages_editor::{ConflictView, FormView, Maker, Typed};
use super::pages_impact::ImpactView;
use super::store_models::{self, Version};
use super::store_scores::{self, Named};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::queue;
use crate::team::audit::{self, Actor};
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// Beyond so many workspaces the engine runs over all of them only when somebody asks for it.
const AT_ONCE: i64 = 5_000;
/// Beyond so many workspaces that change stage, publishing asks for a typed word.
pub(super) const CONFIRM_ABOVE: usize = 10;
/// The word.
pub(super) const CONFIRM: &str = "publish";

/// A version in the list.
pub(super) struct VersionLine {
    pub version: i32,
    pub by: String,
    pub at: Moment,
    pub reason: String,
    pub is_current: bool,
}

/// The job that scores everything again.
pub(super) struct JobView {
    pub done: i64,
    pub total: i64,
    pub text: String,
}

/// `GET /scoring`, and what its forms answer with.
#[derive(Template)]
#[template(path = "scoring/editor.html", blocks = ["impact"])]
pub(super) struct Editor {
    pub shell: Shell,
    pub may_edit: bool,
    pub may_publish: bool,
    pub version: i32,
    /// The state that the form saves over.
    pub seen: String,
    /// "Draft of version 4 by Grace, 3 changes".
    pub state: String,
    pub has_draft: bool,
    /// Nothing was saved by this answer: what is typed is not in the draft.
    pub is_unsaved: bool,
    pub form: FormView,
    pub errors: FieldErrors,
    pub impact: Option<ImpactView>,
    /// Why there is no impact to show.
    pub waits: String,
    pub conflict: Option<ConflictView>,
    pub changes: Vec<Line>,
    pub warnings: usize,
    pub job: Option<JobView>,
    pub versions: Vec<VersionLine>,
    pub document: String,
}

/// What the page reads, in one transaction.
pub(super) struct Loaded {
    pub desk: Desk,
    /// The model that the form shows.
    pub model: Model,
    warnings: Vec<Warning>,
    impact: Option<Impact>,
    names: Vec<Named>,
    size: i64,
    job: Option<queue::store::Progress>,
    versions: Vec<Version>,
}

impl Loaded {
    /// Reads everything. `model` stands in for the draft (something typed and not saved);
    /// `thorough` runs the engine however many workspaces there are.
    pub fn read(
        conn: &mut PgConnection,
        model: Option<Model>,
        thorough: bool,
        today: NaiveDate,
    ) -> Result<Self> {
        let desk = ops_models::desk(conn)?;
        let model = model.unwrap_or_else(|| desk.model().clone());
        let around = ops_models::surroundings(conn, &desk.current.model)?;
        let size = ops_preview::size(conn)?;
        let is_quick = ops_preview::differ_only_in_stages(&desk.current.model, &model);
        let impact = if thorough || is_quick || size <= AT_ONCE {
            Some(ops_preview::preview(conn, &desk.current.model, &model, today)?)
        } else {
            None
        };
        let moved = impact.iter().flat_map(|impact| &impact.most_moved);
        let moved: Vec<_> = moved.map(|one| one.workspace).collect();
        let names = store_scores::names(conn, &moved)?;
        Ok(Self {
            warnings: ops_models::warnings(&model, &around),
            job: queue::store::running(conn, RESCORE)?,
            versions: store_models::published(conn)?,
            desk,
            model,
            impact,
            names,
            size,
        })
    }

    /// How many workspaces the draft moves to another stage, where that was computed.
    pub fn changing(&self) -> usize {
        self.impact.as_ref().map_or(0, Impact::changing)
    }

    /// The page. `typed` is shown in place of the model's numbers.
    pub fn page(self, me: &Viewer, typed: &Typed, errors: FieldErrors) -> Editor {
        let current = &self.desk.current;
        let changes = difference::lines(&current.model, &self.model);
        let maker = Maker {
            model: &self.model,
            published: &current.model,
            typed,
            errors: &errors,
            warnings: &self.warnings,
        };
        let has_draft = self.desk.draft.is_some();
        let differs = !changes.is_empty();
        let view = |impact: &Impact| ImpactView::new(impact, &self.model, &self.names, differs);
        Editor {
            shell: me.shell("Scoring").at(NavItem::Scoring),
            may_edit: me.may(May::EditScoring),
            may_publish: me.may(May::PublishScoring),
            version: current.version,
            seen: self.desk.seen().to_string(),
            state: state(&self.desk, &changes),
            has_draft,
            is_unsaved: false,
            form: maker.form(),
            impact: self.impact.as_ref().map(view),
            waits: format!(
                "These rules have to be run over {} workspaces. Press Preview to do that now.",
                format::grouped(self.size)
            ),
            conflict: None,
            changes,
            warnings: self.warnings.len(),
            job: self.job.as_ref().map(job),
            versions: self
                .versions
                .iter()
                .rev()
                .map(|one| line(one, current.version, me))
                .collect(),
            document: document(&self.model),
            errors,
        }
    }
}

fn state(desk: &Desk, changes: &[Line]) -> String {
    match &desk.draft {
        Some(draft) => format!(
            "Draft of version {}, begun by {}: {}.",
            draft.version,
            draft.created_by,
            format::count(i64::try_from(changes.len()).unwrap_or(0), "change", "changes")
        ),
        None => "No draft: the form shows what is in force.".to_owned(),
    }
}

fn line(version: &Version, current: i32, me: &Viewer) -> VersionLine {
    let at = version.published_at.unwrap_or(me.now);
    VersionLine {
        version: version.version,
        by: version.published_by.clone().unwrap_or_default(),
        at: format::moment(at, me.now, me.zone),
        reason: version.reason.clone().unwrap_or_default(),
        is_current: version.version == current,
    }
}

fn job(job: &queue::store::Progress) -> JobView {
    let total = job.total.unwrap_or(0);
    let text = match (job.total, &job.last_error) {
        (_, Some(_)) => {
            "Scoring everything again met a problem and is tried again by itself.".to_owned()
        }
        (Some(total), None) => format!(
            "Scoring everything again: {} of {} workspaces.",
            format::grouped(job.done),
            format::grouped(total)
        ),
        (None, None) => "Scoring everything again begins in a moment.".to_owned(),
    };
    JobView { done: job.done, total: total.max(1), text }
}

/// A model as people read and take along its document.
pub(super) fn document(model: &Model) -> String {
    serde_json::to_string_pretty(model).unwrap_or_default()
}

/// `GET /scoring`.
pub async fn index(app: web::Data<App>, me: Permit<View>) -> Result<HttpResponse> {
    let today = me.now.date_naive();
    let loaded = app.db.read_web(move |conn| Loaded::read(conn, None, false, today)).await?;
    answer::page(&loaded.page(&me, &Typed::new(), FieldErrors::new()))
}

/// The progress of scoring everything again.
#[derive(Template)]
#[template(path = "scoring/rescore.html")]
struct Rescore {
    job: Option<JobView>,
    version: i32,
}

/// `GET /scoring/rescore`: the block that asks for itself until the job is done; the whole page
/// for everybody else.
pub async fn rescore(app: web::Data<App>, _me: Permit<View>, htmx: Htmx) -> Result<HttpResponse> {
    if !htmx.asks {
        return Ok(answer::see_other("/scoring"));
    }
    let read = app.db.read_web(|conn| {
        Ok((store_models::current(conn)?.version, queue::store::running(conn, RESCORE)?))
    });
    let (version, running) = read.await?;
    answer::page(&Rescore { job: running.as_ref().map(job), version })
}

/// `GET /scoring/publication`: what will change, and the form that asks why.
#[derive(Template)]
#[template(path = "scoring/publication.html")]
pub(super) struct Publication {
    pub shell: Shell,
    pub version: i32,
    pub seen: String,
    pub changes: Vec<Line>,
    pub impact: Option<ImpactView>,
    pub must_confirm: bool,
    pub reason: String,
    pub errors: FieldErrors,
}

impl Publication {
    /// `NotFound` without a draft.
    pub fn new(loaded: &Loaded, me: &Viewer, reason: &str, errors: FieldErrors) -> Result<Self> {
        let draft = loaded.desk.draft.as_ref().ok_or(Error::NotFound)?;
        let view = |impact: &Impact| ImpactView::new(impact, &draft.model, &loaded.names, true);
        Ok(Self {
            shell: me.shell(format!("Publish version {}", draft.version)).at(NavItem::Scoring),
            version: draft.version,
            seen: loaded.desk.seen().to_string(),
            changes: difference::lines(&loaded.desk.current.model, &draft.model),
            impact: loaded.impact.as_ref().map(view),
            must_confirm: loaded.changing() > CONFIRM_ABOVE,
            reason: reason.to_owned(),
            errors,
        })
    }
}

/// `GET /scoring/publication`; without a draft back to the editor.
pub async fn publication(
    app: web::Data<App>,
    me: Permit<crate::web::permit::PublishScoring>,
) -> Result<HttpResponse> {
    let today = me.now.date_naive();
    let loaded = app.db.read_web(move |conn| Loaded::read(conn, None, true, today)).await?;
    if loaded.desk.draft.is_none() {
        return Ok(answer::see_other("/scoring"));
    }
    answer::page(&Publication::new(&loaded, &me, "", FieldErrors::new())?)
}

/// `GET /scoring/versions/{n}`: one published version.
#[derive(Template)]
#[template(path = "scoring/version.html")]
pub(super) struct VersionPage {
    shell: Shell,
    version: i32,
    is_current: bool,
    may_publish: bool,
    by: String,
    at: Moment,
    reason: String,
    changes: Vec<Line>,
    document: String,
    why: String,
    errors: FieldErrors,
}

/// Reads the page of a version; also what a refused roll-back answers with.
pub(super) async fn version_page(
    app: &App,
    me: &Viewer,
    number: i32,
    why: &str,
    errors: FieldErrors,
) -> Result<VersionPage> {
    let read = app.db.read_web(move |conn| {
        let version = store_models::version(conn, number)?;
        let before = match version.base_version {
            Some(base) => Some(store_models::version(conn, base)?),
            None => None,
        };
        Ok((version, before, store_models::current(conn)?.version))
    });
    let (version, before, current) = read.await?;
    let line = line(&version, current, me);
    Ok(VersionPage {
        shell: me.shell(format!("Scoring, version {number}")).at(NavItem::Scoring),
        version: number,
        is_current: line.is_current,
        may_publish: me.may(May::PublishScoring),
        by: line.by,
        at: line.at,
        reason: line.reason,
        changes: before
            .map(|before| difference::lines(&before.model, &version.model))
            .unwrap_or_default(),
        document: document(&version.model),
        why: why.to_owned(),
        errors,
    })
}

/// `GET /scoring/versions/{n}`.
pub async fn version(
    app: web::Data<App>,
    me: Permit<View>,
    number: web::Path<i32>,
) -> Result<HttpResponse> {
    answer::page(&version_page(&app, &me, *number, "", FieldErrors::new()).await?)
}

/// `GET /scoring/versions/{n}/document`: the JSON document to take along.
pub async fn export(
    app: web::Data<App>,
    me: Permit<View>,
    number: web::Path<i32>,
) -> Result<HttpResponse> {
    let (number, by, now) = (*number, Actor::from(&*me), me.now);
    let version = app
        .db
        .tx_web(move |conn| {
            let version = store_models::version(conn, number)?;
            let id = number.to_string();
            let subject = ("scoring_model", id.as_str());
            audit::record(conn, &by, "scoring_model.exported", subject, &json!({}), now)?;
            Ok(version)
        })
        .await?;
    let name = format!("attachment; filename=\"scoring-model-{number}.json\"");
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("content-disposition", name))
        .body(document(&version.model)))
}
