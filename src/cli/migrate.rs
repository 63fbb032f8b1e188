//! `ripen migrate`: what every start does too, by hand.

use super::{Outcome, say};
use crate::config::Config;
use crate::db::local::{self, Server};
use crate::db::migrate;
use crate::error::Error;

pub fn run(config: &Config) -> Outcome {
    let applied = match &config.database_url {
        Some(url) => migrate::run(url)?,
        None => Server::start(&local::Settings::of(&config.data_dir))
            .map_err(|error| Error::Unavailable(2, error.to_string()))?
            .migrate()?,
    };
    for version in &applied {
        say(format!("applied {version}"));
    }
    if applied.is_empty() {
        say("The database is up to date.");
    }
    Ok(())
}
