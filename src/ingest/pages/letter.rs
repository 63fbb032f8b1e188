//! `GET /ingest/dead-letters/{id}`: the whole text, what was wrong, and what was tried.

use actix_web::{HttpResponse, web};
use askama::Template;
use uuid::Uuid;

use super::name_of;
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::ingest::fault::{self, Piece};
use crate::ingest::hint::{self, Hint};
use crate::ingest::store_dead_letters::{self as letters, DeadLetter};
use crate::ingest::store_replays::{self as replays, Tried};
use crate::sources::store as sources;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeIngest, Viewer};
use crate::web::shell::{NavItem, Shell};

struct TriedLine {
    tried: Tried,
    at: Moment,
    /// Whether the letter it was refused as is this one.
    is_this: bool,
}

/// One letter with its text.
#[derive(Template)]
#[template(path = "ingest/dead_letter.html")]
pub struct LetterPage {
    shell: Shell,
    letter: DeadLetter,
    name: String,
    hint: Hint,
    source: String,
    received: Moment,
    ended: Option<Moment>,
    tried: Vec<TriedLine>,
    /// What was typed, or the text to begin with.
    text: String,
    reason: String,
    errors: FieldErrors,
}

/// The page.
pub async fn dead_letter(
    app: web::Data<App>,
    me: Permit<SeeIngest>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    answer::page(&LetterPage::load(&app, &me, id.into_inner()).await?)
}

impl LetterPage {
    /// The page of this letter.
    ///
    /// # Errors
    /// [`crate::error::Error::NotFound`] when there is none.
    pub async fn load(app: &App, me: &Viewer, id: Uuid) -> Result<Self> {
        let (letter, tried, sources) = app
            .db
            .read_web(move |conn| {
                Ok((letters::find(conn, id)?, replays::attempts(conn, id)?, sources::list(conn)?))
            })
            .await?;
        let moment = |at| format::moment(at, me.now, me.zone);
        Ok(Self {
            shell: me.shell("Dead letter").at(NavItem::Ingest),
            name: hint::name(&letter.code),
            hint: hint::of(&letter.code),
            source: name_of(&sources, letter.source_id),
            received: moment(letter.received_at),
            ended: letter.replayed_at.or(letter.discarded_at).map(moment),
            tried: tried
                .into_iter()
                .map(|tried| TriedLine {
                    at: moment(tried.attempted_at),
                    is_this: tried.refused_as == Some(letter.id),
                    tried,
                })
                .collect(),
            text: letter.text().to_owned(),
            reason: String::new(),
            errors: FieldErrors::new(),
            letter,
        })
    }

    /// The same with what is wrong with a form, and what was typed into it.
    #[must_use]
    pub fn refused(mut self, errors: FieldErrors, text: Option<&str>, reason: &str) -> Self {
        self.errors = errors;
        if let Some(text) = text {
            text.clone_into(&mut self.text);
        }
        reason.clone_into(&mut self.reason);
        self
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        fault::pieces(&self.letter.code, self.letter.text())
    }

    fn has_mark(&self) -> bool {
        self.pieces().iter().any(|piece| piece.wrong)
    }
}
