//! `ripen rescore`: scores every workspace again, beside a running server or without one.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;

use super::{Outcome, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Database, Pool};
use crate::error::Result;
use crate::queue::engine::{self, Lane};
use crate::queue::store::{self, Progress};
use crate::scoring::jobs::RESCORE;
use crate::{cli::Failure, jobs};

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Enqueues the job, lends a hand with the queue and shows how far it is.
///
/// # Errors
/// What is missing and how to mend it; or why the job failed.
pub fn run(config: &Config) -> Outcome {
    let db = Database::open(config)?;
    let clock = Clock::system();
    let now = clock.now();
    db.tx(Pool::Work, |conn| jobs::furnish(conn, now))?;
    let id =
        db.tx(Pool::Work, |conn| store::enqueue(conn, RESCORE, &json!({}), Some("command"), now))?;
    let stop = AtomicBool::new(false);
    let bar = ProgressBar::new(0);
    let outcome: Result<Progress> = std::thread::scope(|scope| {
        // A server takes the job if it is faster; either way it is done once.
        let hand =
            scope.spawn(|| engine::drain_lane(&db, &clock, &jobs::HANDLERS, Lane::Quick, &stop));
        loop {
            let progress = db.read(Pool::Work, |conn| store::progress(conn, id))?;
            bar.set_length(u64::try_from(progress.total.unwrap_or(0)).unwrap_or(0));
            bar.set_position(u64::try_from(progress.done).unwrap_or(0));
            let is_over = progress.finished_at.is_some() || progress.died_at.is_some();
            if is_over || (hand.is_finished() && progress.last_error.is_some()) {
                return Ok(progress);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    });
    bar.finish_and_clear();
    let progress = outcome?;
    match progress.last_error {
        Some(error) if progress.finished_at.is_none() => Err(Failure(error)),
        _ => {
            say(format!("{} workspaces are scored again.", progress.done));
            Ok(())
        }
    }
}
