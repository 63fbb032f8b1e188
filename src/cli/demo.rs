//! `ripen demo`: a believable company to look at.

use std::net::TcpStream;
use std::time::Duration;

use crate::app::{self, App};
use crate::cli::{Failure, Outcome};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;
use crate::demo::{run as demo, send};
use crate::error::caught;

/// Fills the server that listens at the bind address; without one, serves for as long as it takes.
///
/// # Errors
/// What is missing and how to mend it.
pub fn run(config: &Config) -> Outcome {
    let app = open(config)?;
    let address = send::reachable(config.bind);
    if TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok() {
        return Ok(demo::fill(&app)?);
    }
    serving(app, true)
}

/// `ripen serve --demo`: serves, and fills meanwhile.
///
/// # Errors
/// What is missing and how to mend it.
pub fn serve(config: &Config) -> Outcome {
    serving(open(config)?, false)
}

fn open(config: &Config) -> Result<App, Failure> {
    let db = Database::open(config)?;
    Ok(App::new(db, Clock::system(), config.clone()))
}

fn serving(app: App, ends: bool) -> Outcome {
    let filled = app.clone();
    let filling = std::thread::spawn(move || {
        // Also after a panic the server must be told to stop.
        let outcome = caught(|| demo::fill(&filled));
        if let Err(error) = &outcome {
            tracing::error!(%error, "the demo was not filled");
        }
        if ends {
            // As an operator would: running requests end first.
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::TERM);
        }
        outcome
    });
    actix_web::rt::System::new().block_on(app::serve(app))?;
    match filling.is_finished().then(|| filling.join()) {
        Some(Ok(outcome)) => Ok(outcome?),
        Some(Err(_)) => Err(Failure("filling the demo broke off; the log says why".into())),
        None => Ok(()),
    }
}
