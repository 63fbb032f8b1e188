//! `ripen serve`: everything, in one process.

use std::io;

use clap::Args;

use crate::app::{self, App};
use crate::cli::{Outcome, demo};
use crate::clock::Clock;
use crate::config::{Config, Options};
use crate::db::Database;
use crate::db::local::privileges::{self, Needs};

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

/// Drops what root may do and the server does not need. Before there is a second thread.
///
/// # Errors
/// The system's; the server can run all the same.
pub(super) fn give_up_privileges(options: &Options) -> io::Result<()> {
    privileges::drop_all_but(Needs {
        private_database: options.database_url.is_none(),
        database_socket: options.database_url.as_ref().is_some_and(|url| !url.is_remote()),
        low_port: options.bind.port() < 1024,
    })
}
