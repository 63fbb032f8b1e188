//! `ripen import events FILE`: history in, through the same parser, journal and drainer as live events.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, Outcome, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Database, Pool};
use crate::ingest::{drain, import, load, store_status};
use crate::scoring::store_hold::Hold;
use crate::team::audit::Actor;
use crate::web::format::grouped;
use crate::{catalog, jobs, sources};

#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Segment calls, one JSON object a line; plain or gzip
    ///
    /// A line may say its own "receivedAt". Lines of type "signup" (userId, groupId, emailDomain) are
    /// taken as identify, group and the event signed_up. Importing a file again changes nothing.
    Events(Events),
}

#[derive(Debug, Args)]
struct Events {
    /// The file
    file: PathBuf,
    /// The source the events belong to; made when there is none of that name
    #[arg(long, value_name = "NAME", default_value = "import")]
    source: String,
    /// Take events of this name for that key of the catalog; may be repeated
    #[arg(long = "map", value_name = "NAME=KEY", value_parser = import::name_pair)]
    names: Vec<(String, String)>,
}

pub fn run(config: &Config, import: &Import) -> Outcome {
    let Command::Events(events) = &import.command;
    let at = |error| Failure(format!("{}: {error}", events.file.display()));
    let file = File::open(&events.file).map_err(at)?;
    let size = file.metadata().map_err(at)?.len();
    let database = Database::open(config)?;
    let clock = Clock::system();
    let source = database.tx(Pool::Work, |conn| {
        catalog::ops::seed(conn, clock.now())?;
        sources::ops::ensure_source(conn, &Actor::system(), &events.source, clock.now())
    })?;

    // Half a history would make half a score, and somebody would be called because of it.
    let hold = Hold::take(database.url())?;
    let bar = bar("{bar:30} {bytes} of {total_bytes}  {msg}", size);
    let lines = load::open(bar.wrap_read(file)).map_err(at)?;
    let names = events.names.iter().cloned().collect();
    let loaded = load::load(&database, &clock, source.id, lines, &names, |loaded| {
        let rate = per_second(loaded.events, bar.elapsed());
        bar.set_message(format!(
            "{} events, {rate}/s, {} refused",
            grouped_u64(loaded.events),
            loaded.rejected
        ));
    })?;
    bar.finish_and_clear();
    say(format!(
        "{} lines, {} events in the journal, {} refused{}",
        grouped_u64(loaded.lines),
        grouped_u64(loaded.events),
        grouped_u64(loaded.rejected),
        if loaded.rejected > 0 { " (see Ingest, Dead letters)" } else { "" },
    ));
    project(&database, &clock)?;
    drop(hold);
    say("Everything is sorted in; the server scores what it touched.");
    Ok(())
}

/// Drains the journal until nothing waits; a server that runs beside takes its part.
fn project(database: &Database, clock: &Clock) -> Outcome {
    let pending = || database.read(Pool::Work, store_status::pending);
    let total = pending()?;
    let bar = bar("{bar:30} {msg}", u64::try_from(total).unwrap_or_default());
    let mut left = total;
    while left > 0 {
        bar.set_position(u64::try_from(total - left).unwrap_or_default());
        bar.set_message(format!(
            "{} events to sort into workspaces, people and usage",
            grouped(left)
        ));
        let step = drain::step(database, clock, &jobs::PROJECTIONS, drain::Limits::default())?;
        if step.rows == 0 {
            std::thread::sleep(Duration::from_millis(200));
        }
        left = pending()?;
    }
    bar.finish_and_clear();
    Ok(())
}

fn bar(template: &str, length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    // The template is a constant of this file; a bar of another look would do as well.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn per_second(events: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    grouped_u64(events.saturating_mul(1000) / millis)
}

fn grouped_u64(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}
