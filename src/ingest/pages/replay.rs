//! `GET /ingest/dead-letters/replays/{id}`: how far a replay is, and what came of it.

use actix_web::{HttpResponse, web};
use askama::Template;
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;
use crate::ingest::store_replays::{self as replays, Replay, Standing};
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest};
use crate::web::shell::{NavItem, Shell};

#[derive(Template)]
#[template(path = "ingest/replay.html", blocks = ["standing"])]
struct ReplayPage {
    shell: Shell,
    replay: Replay,
    standing: Standing,
    started: Moment,
    said: String,
}

/// The page, or how it stands for whoever polls.
pub async fn replay(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    htmx: Htmx,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (replay, standing) = app.db.read_web(move |conn| replays::standing(conn, id)).await?;
    let page = ReplayPage {
        shell: me.shell("Replay").at(NavItem::Ingest),
        started: format::moment(replay.started_at, me.now, me.zone),
        said: said(&standing),
        replay,
        standing,
    };
    if htmx.wants("standing") { answer::page(&page.as_standing()) } else { answer::page(&page) }
}

impl ReplayPage {
    /// Whether all of it is known.
    fn is_over(&self) -> bool {
        self.replay.finished_at.is_some() && !self.standing.draining
    }
}

/// What came of a replay: "Replayed 1,200: 1,180 stored, 20 refused again."
fn said(standing: &Standing) -> String {
    let stored = standing.tried - standing.refused;
    match (stored, standing.refused) {
        (0, 0) => "There was nothing to replay.".to_owned(),
        (_, 0) => format!("Replayed {0}: {0} stored.", format::grouped(stored)),
        (0, refused) => {
            format!(
                "Replayed {0}: {0} refused again. Mend the cause first.",
                format::grouped(refused)
            )
        }
        (stored, refused) => format!(
            "Replayed {}: {} stored, {} refused again.",
            format::grouped(standing.tried),
            format::grouped(stored),
            format::grouped(refused),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_told_in_words() {
        let of = |tried, refused| said(&Standing { tried, refused, draining: false });
        assert_eq!(of(1_200, 20), "Replayed 1,200: 1,180 stored, 20 refused again.");
        assert_eq!(of(2, 2), "Replayed 2: 2 refused again. Mend the cause first.");
        assert_eq!(of(1, 0), "Replayed 1: 1 stored.");
        assert_eq!(of(0, 0), "There was nothing to replay.");
    }
}
