//! `ripen serve`: everything, in one process.

use clap::Args;

use crate::app::{self, App};
use crate::cli::{Outcome, demo};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;

/// How to serve.
#[derive(Debug, Args)]
pub struct Serve {
    /// Fill the database with a believable company, and say its logins
    #[arg(long)]
    demo: bool,
}

/// Opens the database (the private one unless another is given), brings its tables up to date and
/// serves until told to stop.
///
/// # Errors
/// What is missing and how to mend it.
pub fn run(config: &Config, serve: &Serve) -> Outcome {
    if serve.demo {
        return demo::serve(config);
    }
    let db = Database::open(config)?;
    let app = App::new(db, Clock::system(), config.clone());
    Ok(actix_web::rt::System::new().block_on(app::serve(app))?)
}
