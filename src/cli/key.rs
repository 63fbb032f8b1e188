//! `ripen key create`: a write key for a product, an API key for a script, without the web pages.

use clap::{ArgGroup, Args, Subcommand};

use super::{Failure, Outcome, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Database, Pool};
use crate::sources::key::Scope;
use crate::sources::ops;
use crate::team::audit::Actor;

#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and say it, once
    Create(Create),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("kind").required(true).args(["write", "api"]))]
struct Create {
    /// For an SDK that sends events
    #[arg(long, requires = "source")]
    write: bool,
    /// The source that sends; made when there is none of that name
    #[arg(long, value_name = "NAME", conflicts_with = "api")]
    source: Option<String>,
    /// With --write: for a server, which sends records too; never for a browser
    #[arg(long, requires = "write")]
    server: bool,
    /// For a script that uses the JSON API
    #[arg(long, requires = "name")]
    api: bool,
    /// What uses the key
    #[arg(long, value_name = "NAME", conflicts_with = "write")]
    name: Option<String>,
    /// What the key may do: read, write, admin, with commas
    #[arg(long, value_name = "SCOPES", default_value = "read")]
    scopes: String,
}

pub fn run(config: &Config, key: &Key) -> Outcome {
    let Command::Create(create) = &key.command;
    let scopes = Scope::parse_list(&create.scopes).map_err(Failure)?;
    let database = Database::open(config)?;
    let (by, at) = (Actor::system(), Clock::system().now());
    let made = database.tx(Pool::Work, |conn| {
        if let Some(name) = &create.source {
            let source = ops::ensure_source(conn, &by, name, at)?;
            let make = if create.server { ops::create_server_key } else { ops::create_write_key };
            make(conn, &by, source.id, at)
        } else {
            ops::create_api_key(conn, &by, create.name.as_deref().unwrap_or_default(), &scopes, at)
        }
    })?;
    say(made.reveal());
    Ok(())
}
