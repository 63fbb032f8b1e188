//! `ripen serve`: everything, in one process.

use crate::app::{self, App};
use crate::cli::Outcome;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;

/// Opens the database (the private one unless another is given), brings its tables up to date and
/// serves until told to stop.
///
/// # Errors
/// What is missing and how to mend it.
pub fn run(config: &Config) -> Outcome {
    let db = Database::open(config)?;
    let app = App { db, clock: Clock::system(), config: config.clone() };
    Ok(actix_web::rt::System::new().block_on(app::serve(app))?)
}
