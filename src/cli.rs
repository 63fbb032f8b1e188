//! The command line: one file in `cli/` for each sub-command, this one is their table of contents.
//!
//! A command is a variant of [`Command`] with its arguments, and a `run` that takes them with the
//! [`Config`] and answers [`Outcome`]. What it has to say to the person goes through [`say`];
//! logs go to standard error.

mod demo;
mod doctor;
mod import;
mod key;
mod migrate;
mod rescore;
mod serve;
mod user;

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Options};
use crate::db::local::launch::{self, Launch};
use crate::error::Error;
use crate::logging;

/// The CRM for product-led growth: it knows which workspaces are ripe.
#[derive(Debug, Parser)]
#[command(name = "ripen", version, about)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and receive events
    Serve(serve::Serve),
    /// Fill a server with a believable company to look at
    Demo,
    /// Members of the team
    #[command(subcommand)]
    User(user::User),
    /// Make keys for products and scripts
    Key(key::Key),
    /// Bring history in
    Import(import::Import),
    /// Score every workspace again
    Rescore,
    /// Bring the database's tables up to date
    Migrate,
    /// Say what is found, what is missing and how to mend it
    Doctor,
    /// Become PostgreSQL (used by Ripen itself)
    #[command(name = launch::SUBCOMMAND, hide = true)]
    Postgres(Launch),
}

/// What a command answers.
pub type Outcome = Result<(), Failure>;

/// Why a command failed, in words for the person who typed it.
#[derive(Debug)]
pub struct Failure(pub String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // The codes and seconds are for HTTP; here the cause is what helps.
        Self(match error {
            Error::Unavailable(_, cause) | Error::Internal(cause) => cause,
            other => other.to_string(),
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Postgres(launch) = &cli.command {
        let error = launch::become_postgres(launch);
        complain(&Failure(format!("can't become PostgreSQL: {error}")));
        return ExitCode::FAILURE;
    }
    // Before the log has a thread of its own: threads that are there keep what they have.
    let dropped = match &cli.command {
        Command::Serve(_) | Command::Demo => serve::give_up_privileges(&cli.options),
        _ => Ok(()),
    };
    let log = logging::start();
    if let Err(error) = dropped {
        tracing::warn!(%error, "the server keeps capabilities that it does not need");
    }
    let outcome = run(&cli);
    // What is buffered comes before the last word.
    drop(log);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Outcome {
    let config = Config::from_options(&cli.options)?;
    match &cli.command {
        Command::Serve(serve) => serve::run(&config, serve),
        Command::Demo => demo::run(&config),
        Command::User(user) => user::run(&config, user),
        Command::Key(key) => key::run(&config, key),
        Command::Import(import) => import::run(&config, import),
        Command::Rescore => rescore::run(&config),
        Command::Migrate => migrate::run(&config),
        Command::Doctor => doctor::run(&config),
        // Handled before there is a log or a second thread.
        Command::Postgres(_) => Ok(()),
    }
}

/// Says a line to the person at the terminal. A reader that went away (`ripen doctor | head`) is
/// no failure.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "ripen: {}", failure.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shared_options_stand_before_or_after_the_command() {
        for line in
            [["ripen", "--data-dir", "/d", "migrate"], ["ripen", "migrate", "--data-dir", "/d"]]
        {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.options.data_dir, Some("/d".into()));
        }
    }
}
