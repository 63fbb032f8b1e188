//! How far everything is counted by the catalog in force.

use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::PgConnection;

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::ingest::store_chunks::{self, Outdated};
use crate::web::answer::{self, Htmx};
use crate::web::permit::{EditCatalog, Permit};
use crate::{queue, usage};

/// What counts by older versions, and the job that counts it again.
#[derive(Template)]
#[template(path = "catalog/rebuild.html")]
pub(super) struct Rebuild {
    csrf: String,
    outdated: Outdated,
    /// Done and total, in chunks.
    job: Option<(i64, i64)>,
}

/// It is HTML already, made by its own template.
impl askama::filters::HtmlSafe for Rebuild {}

impl Rebuild {
    /// As it stands for this version of the catalog.
    pub fn read(conn: &mut PgConnection, version: i32, csrf: String) -> Result<Self> {
        let outdated = store_chunks::waiting(conn, version)?;
        let job = usage::jobs::under_way(conn)?;
        let total = |job: &queue::store::Progress| {
            job.total.unwrap_or(outdated.chunks).max(job.done).max(1)
        };
        Ok(Self { csrf, job: job.map(|job| (job.done, total(&job))), outdated })
    }
}

/// `GET /settings/events/rebuild`: how far the rebuild is, for whoever polls.
pub async fn rebuild(
    app: web::Data<App>,
    me: Permit<EditCatalog>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    if !htmx.wants("rebuild") {
        return Ok(answer::see_other("/settings/events"));
    }
    let csrf = me.csrf.clone();
    let rebuild = app
        .db
        .read_web(move |conn| {
            let version = store::current(conn)?.0;
            Rebuild::read(conn, version, csrf.clone())
        })
        .await?;
    answer::page(&rebuild)
}
