//! Use cases of the model editor: draft, publish, roll back. One transaction each, the caller's.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use serde_json::json;

use super::difference::{self, Line};
use super::jobs::RESCORE;
use super::model::Model;
use super::store_models::{self, Save, Version};
use super::validate::{self, Surroundings};
use super::{lint, presets, settings};
use crate::error::{Error, Result};
use crate::queue;
use crate::team::audit::{self, Actor};

/// Longest reason for publishing, in characters.
const LONGEST_REASON: usize = 500;

/// The state of the draft that an editor saw, so that two editors notice each other. As text
/// `4.2` (the draft of version 4 after two saves) or `4.new` (there was no draft yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The number that the draft has or will get.
    pub version: i32,
    /// How often it was saved; none when there was no draft.
    pub edits: Option<i32>,
}

impl Seen {
    /// What somebody sees who looks at this draft, or at no draft over this published version.
    #[must_use]
    pub fn of(current: &Version, draft: Option<&Version>) -> Self {
        match draft {
            Some(draft) => Self { version: draft.version, edits: Some(draft.edits) },
            None => Self { version: current.version + 1, edits: None },
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.edits {
            Some(edits) => write!(f, "{}.{edits}", self.version),
            None => write!(f, "{}.new", self.version),
        }
    }
}

impl std::str::FromStr for Seen {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unreadable = || Error::invalid("draft", "Name the draft as the editor shows it: 4.2.");
        let (version, edits) = text.trim().split_once('.').ok_or_else(unreadable)?;
        let edits = match edits {
            "new" => None,
            edits => Some(edits.parse().map_err(|_| unreadable())?),
        };
        Ok(Self { version: version.parse().map_err(|_| unreadable())?, edits })
    }
}

/// The published model and the draft over it, if there is one.
#[derive(Clone, Debug)]
pub struct Desk {
    /// In force.
    pub current: Version,
    /// Being edited.
    pub draft: Option<Version>,
}

impl Desk {
    /// The model that an editor sees: the draft's, else the published one.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.draft.as_ref().unwrap_or(&self.current).model
    }

    /// The state that an editor sees.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen::of(&self.current, self.draft.as_ref())
    }
}

/// What is on the desk.
///
/// # Errors
/// `NotFound` before the first model was made.
pub fn desk(conn: &mut PgConnection) -> Result<Desk> {
    Ok(Desk { current: store_models::current(conn)?, draft: store_models::draft(conn)? })
}

/// Publishes the recipe as version 1 when there is no model yet; does nothing otherwise.
///
/// # Errors
/// When the database fails.
pub fn ensure_model(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let by = Actor::system();
    let recipe = presets::published_recipe();
    let reason = "The recipe that Ripen starts with.";
    if store_models::insert(conn, 1, &recipe, None, &by.name, Some(reason), now)? {
        let detail = json!({"reason": reason});
        audit::record(conn, &by, "scoring_model.published", ("scoring_model", "1"), &detail, now)?;
    }
    Ok(())
}

/// What a model may refer to. Events that the published model counts stay allowed, so that an
/// event taken out of the catalog does not lock the editor.
///
/// # Errors
/// When the database fails.
pub fn surroundings(conn: &mut PgConnection, current: &Model) -> Result<Surroundings> {
    let mut events: BTreeSet<String> = store_models::events(conn)?.into_iter().collect();
    events.extend(current.rules.iter().filter_map(|rule| match &rule.kind {
        super::model::RuleKind::Event { event, .. } => Some(event.clone()),
        _ => None,
    }));
    Ok(Surroundings { events, ..Surroundings::default() })
}

/// Warnings that do not block, each with the name of its setting.
#[must_use]
pub fn warnings(model: &Model, around: &Surroundings) -> Vec<lint::Warning> {
    let named = |warning: lint::Warning| lint::Warning {
        path: settings::name_of_path(model, &warning.path),
        message: warning.message,
    };
    lint::lint(model, around).into_iter().map(named).collect()
}

/// Checks a model; problems are named as the form names its settings.
///
/// # Errors
/// `Invalid` with every problem.
pub fn check(conn: &mut PgConnection, current: &Model, model: &Model) -> Result<()> {
    let around = surroundings(conn, current)?;
    validate::validate(model, &around)
        .map_err(|errors| Error::Invalid(settings::named(model, errors)))
}

/// Saves the draft, or begins one. Saving what is there already changes nothing.
///
/// # Errors
/// `Invalid` as [`check`]; `Conflict` when somebody else saved, published or discarded meanwhile:
/// one's own saves from elsewhere are no conflict, the newest wins.
pub fn save_draft(
    conn: &mut PgConnection,
    by: &Actor,
    seen: Seen,
    model: &Model,
    now: DateTime<Utc>,
) -> Result<Seen> {
    let desk = desk(conn)?;
    check(conn, &desk.current.model, model)?;
    if desk.model() == model && seen.version == desk.seen().version {
        return Ok(desk.seen());
    }
    agree(conn, by, seen, &desk)?;
    let saved = Seen {
        version: desk.seen().version,
        edits: Some(desk.draft.as_ref().map_or(0, |d| d.edits + 1)),
    };
    let done = match &desk.draft {
        Some(draft) => store_models::update_draft(conn, draft.edits, model)?,
        None => {
            let base = Some(desk.current.version);
            store_models::insert(conn, saved.version, model, base, &by.name, None, now)?
        }
    };
    if !done {
        return Err(moved_on());
    }
    let detail = json!({
        "edits": saved.edits, "changes": difference::lines(desk.model(), model),
    });
    let subject = saved.version.to_string();
    audit::record(
        conn,
        by,
        "scoring_model.draft_saved",
        ("scoring_model", &subject),
        &detail,
        now,
    )?;
    Ok(saved)
}

/// Throws the draft away; without a draft there is nothing to do.
///
/// # Errors
/// `Conflict` when somebody else changed it meanwhile.
pub fn discard_draft(
    conn: &mut PgConnection,
    by: &Actor,
    seen: Seen,
    now: DateTime<Utc>,
) -> Result<()> {
    let desk = desk(conn)?;
    let Some(draft) = &desk.draft else { return Ok(()) };
    agree(conn, by, seen, &desk)?;
    if !store_models::delete_draft(conn, draft.edits)? {
        return Err(moved_on());
    }
    let detail = json!({"changes": difference::lines(&desk.current.model, &draft.model)});
    let subject = draft.version.to_string();
    audit::record(
        conn,
        by,
        "scoring_model.draft_discarded",
        ("scoring_model", &subject),
        &detail,
        now,
    )
}

/// A version that was put into force, and the job that scores everything by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The version.
    pub version: i32,
    /// The job, for its progress.
    pub job: i64,
}

/// Puts the draft into force and enqueues the job that scores every workspace again.
///
/// # Errors
/// `Invalid` without a reason or when the model no longer stands up to [`check`]; `Conflict` when
/// there is no draft or it is not the one that was seen.
pub fn publish(
    conn: &mut PgConnection,
    by: &Actor,
    seen: Seen,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Published> {
    let reason = checked_reason(reason)?;
    let desk = desk(conn)?;
    let Some(draft) = &desk.draft else {
        return Err(Error::Conflict(
            "There is no draft: it was published or discarded meanwhile.".to_owned(),
        ));
    };
    // Even one's own later save: what is published is what was looked at.
    if seen != desk.seen() {
        return Err(conflict(conn, seen, &desk)?);
    }
    check(conn, &desk.current.model, &draft.model)?;
    if !store_models::publish_draft(conn, draft.edits, &by.name, reason, now)? {
        return Err(moved_on());
    }
    let changes = difference::lines(&desk.current.model, &draft.model);
    in_force(conn, by, draft.version, reason, &changes, now)
}

/// Puts the document of an older version into force again, as a new version.
///
/// # Errors
/// `NotFound` without that version; `Invalid` without a reason; `Conflict` while there is a draft,
/// which would silently lose its base.
pub fn roll_back(
    conn: &mut PgConnection,
    by: &Actor,
    to: i32,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Published> {
    let old = store_models::version(conn, to)?;
    let reason = checked_reason(reason)?;
    let desk = desk(conn)?;
    if let Some(draft) = &desk.draft {
        let by = &draft.created_by;
        return Err(Error::Conflict(format!(
            "{by} has begun a draft: publish or discard it first, then roll back."
        )));
    }
    let (version, base) = (desk.current.version + 1, Some(desk.current.version));
    if !store_models::insert(conn, version, &old.model, base, &by.name, Some(reason), now)? {
        return Err(moved_on());
    }
    let changes = difference::lines(&desk.current.model, &old.model);
    in_force(conn, by, version, reason, &changes, now)
}

fn in_force(
    conn: &mut PgConnection,
    by: &Actor,
    version: i32,
    reason: &str,
    changes: &[Line],
    now: DateTime<Utc>,
) -> Result<Published> {
    let detail = json!({"reason": reason, "changes": changes});
    let subject = version.to_string();
    audit::record(conn, by, "scoring_model.published", ("scoring_model", &subject), &detail, now)?;
    let payload = json!({"model_version": version});
    let key = format!("model {version}");
    let job = queue::store::enqueue(conn, RESCORE, &payload, Some(&key), now)?;
    Ok(Published { version, job })
}

fn checked_reason(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(Error::invalid("reason", "Say why, for those who read the versions later.")),
        n if n > LONGEST_REASON => Err(Error::invalid(
            "reason",
            format!("Shorten the reason to {LONGEST_REASON} characters."),
        )),
        _ => Ok(reason),
    }
}

/// What others did to the draft since an editor saw it.
///
/// # Errors
/// When the database fails.
pub fn saves_since(conn: &mut PgConnection, seen: Seen) -> Result<Vec<(Save, Vec<Line>)>> {
    let saves = store_models::saves_since(conn, seen.version, seen.edits.unwrap_or(-1))?;
    let lines = |save: &Save| serde_json::from_value(save.changes.clone()).unwrap_or_default();
    Ok(saves.into_iter().map(|save| (save.clone(), lines(&save))).collect())
}

/// Refuses when somebody else changed what was seen.
fn agree(conn: &mut PgConnection, by: &Actor, seen: Seen, desk: &Desk) -> Result<()> {
    if seen == desk.seen() {
        return Ok(());
    }
    if seen.version == desk.seen().version && desk.draft.is_some() {
        let saves = saves_since(conn, seen)?;
        let mine = |save: &Save| save.actor_id == by.id && save.actor == by.name;
        if !saves.is_empty() && saves.iter().all(|(save, _)| mine(save)) {
            return Ok(());
        }
    }
    Err(conflict(conn, seen, desk)?)
}

/// Says who did what meanwhile.
fn conflict(conn: &mut PgConnection, seen: Seen, desk: &Desk) -> Result<Error> {
    if seen.version <= desk.current.version {
        let (version, by) = (desk.current.version, desk.current.published_by.as_deref());
        let by = by.unwrap_or("Somebody");
        return Ok(Error::Conflict(format!("{by} published version {version} meanwhile.")));
    }
    let Some(_) = &desk.draft else {
        return Ok(Error::Conflict("The draft was discarded meanwhile.".to_owned()));
    };
    let saves = saves_since(conn, seen)?;
    let Some((save, lines)) = saves.last() else { return Ok(moved_on()) };
    let at = save.at.format("%H:%M UTC");
    let what = match lines.as_slice() {
        [line, rest @ ..] => {
            let more =
                if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            format!("{} from {} to {}{more}", line.label, line.was(), line.is())
        }
        [] => "the draft".to_owned(),
    };
    Ok(Error::Conflict(format!("{} changed {what} at {at}.", save.actor)))
}

fn moved_on() -> Error {
    Error::Conflict("The draft changed in this very moment. Look at it again.".to_owned())
}
