//! Fills a running server with the demo, and says what there is to see.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use super::call::{Calendar, Call};
use super::send::{Client, Sent};
use super::team::Login;
use super::{billing, company, post, team, trouble};
use crate::app::App;
use crate::cli::say;
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::ingest::status::Status;
use crate::ingest::store_status;
use crate::scoring::store_hold::Hold;
use crate::sources;
use crate::sources::store::Source;
use crate::team::audit::Actor;
use crate::web::format::grouped;

/// The same company in every installation.
const SEED: u64 = 2026;
const SOURCE: &str = "Demo product";
const MOBILE: &str = "Demo mobile app";
/// How long the server may take to answer, and then to score everything.
const PATIENCE: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(250);

/// Sends everything, waits until it is scored, and says what to look at. A second run sends the same
/// messages and changes nothing.
///
/// # Errors
/// When the server or the database fails.
pub fn fill(app: &App) -> Result<()> {
    let started = Instant::now();
    let (db, clock) = (&app.db, &app.clock);
    let now = clock.now();
    let logins = team::ensure(db, clock)?;
    let first = db.read(Pool::Work, |conn| sources::store::by_name(conn, SOURCE))?.is_none();
    let product = open(app, SOURCE)?;
    let client = &product.client;
    await_server(client)?;

    let workspaces = company::workspaces(SEED);
    // The first run's end: a later run finds every message known.
    let calendar = Calendar { end: product.source.created_at };
    let delivery = trouble::delivery(SEED, &workspaces, calendar, first);
    let mobile = if first { trouble::mobile(SEED, &workspaces, calendar) } else { Vec::new() };
    let total = [delivery.history.len(), delivery.late.len(), mobile.len()].iter().sum();
    let progress = Progress::new(total);
    let hold = Hold::take(db.url())?;
    let mut sent = send(app, client, &delivery.history, &progress)?;
    await_status(app, |status| status.drained)?;
    post::deliver(app, client, &billing::notices(&workspaces, calendar))?;
    drop(hold);
    await_status(app, |status| status.settled)?;
    sent.add(send(app, client, &delivery.late, &progress)?);
    if !mobile.is_empty() {
        // Its key stays open: a source that can't send any more is not watched.
        let app_on_phones = open(app, MOBILE)?;
        sent.add(send(app, &app_on_phones.client, &mobile, &progress)?);
    }
    await_status(app, |status| status.settled)?;
    progress.end();
    let returned = team::part(db, clock)?;
    close(app, &product)?;
    tell(app, &logins, sent, returned, started.elapsed(), now)
}

/// A product that sends: the source, a key of this run, and who sends with it.
struct Product {
    source: Source,
    prefix: String,
    client: Client,
}

fn open(app: &App, name: &str) -> Result<Product> {
    let (actor, now) = (Actor::system(), app.clock.now());
    let (source, key) = app.db.tx(Pool::Work, |conn| {
        let source = sources::ops::ensure_source(conn, &actor, name, now)?;
        let key = sources::ops::create_write_key(conn, &actor, source.id, now)?;
        Ok((source, key))
    })?;
    // The server looks up keys that it does not know every quarter of a second.
    std::thread::sleep(LOOK);
    let client = Client::new(app.config.bind, key.reveal());
    Ok(Product { source, prefix: key.prefix().to_owned(), client })
}

fn send(app: &App, client: &Client, calls: &[Call], progress: &Progress) -> Result<Sent> {
    client.send(calls, &app.clock, |through| progress.add(through))
}

fn await_server(client: &Client) -> Result<()> {
    let started = Instant::now();
    while !client.is_up() {
        if started.elapsed() > PATIENCE {
            return Err(Error::Internal("the server does not answer, so nothing was sent".into()));
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Waits until ingestion is as far as `there` says.
fn await_status(app: &App, there: impl Fn(&Status) -> bool) -> Result<()> {
    let started = Instant::now();
    loop {
        let now = app.clock.now();
        let totals = app.db.read(Pool::Work, |conn| store_status::totals(conn, now))?;
        let status = Status::of(&totals, now);
        if there(&status) {
            return Ok(());
        }
        if started.elapsed() > SETTLE {
            return Err(Error::Internal(format!(
                "{} events still wait to be processed; the server's log says why",
                status.pending
            )));
        }
        std::thread::sleep(LOOK);
    }
}

/// Nobody keeps the key of this run.
fn close(app: &App, product: &Product) -> Result<()> {
    let (actor, now) = (Actor::system(), app.clock.now());
    app.db.tx(Pool::Work, |conn| {
        let keys = sources::store::list_write_keys(conn)?;
        let ours = keys
            .iter()
            .find(|key| key.source_id == product.source.id && key.prefix == product.prefix);
        match ours {
            Some(key) => sources::ops::revoke_write_key(conn, &actor, key.id, now),
            None => Ok(()),
        }
    })
}

fn tell(
    app: &App,
    logins: &[Login],
    sent: Sent,
    returned: Option<usize>,
    took: Duration,
    began: DateTime<Utc>,
) -> Result<()> {
    // Counts are kept by the minute.
    let since = began - TimeDelta::seconds(began.timestamp().rem_euclid(60) + 1);
    let totals = app.db.read(Pool::Work, |conn| store_status::totals(conn, since))?;
    say(format!(
        "\nSent {} events in {} s: {} refused, {} known already. Everything is scored.",
        number(sent.accepted),
        took.as_secs(),
        number(sent.rejected),
        grouped(totals.duplicates),
    ));
    if let Some(returned) = returned {
        say(format!(
            "One rep has left since; {returned} workspaces went back to the assignment view."
        ));
    }
    say("\nLogins:");
    for login in logins {
        let password = login.password.as_deref().unwrap_or("(was said when it was made)");
        say(format!("  {:<34} {:<20} {password}", login.email, login.role));
    }
    say(format!(
        "\nOpen {}\n  as a manager: ripe workspaces that nobody owns, with reasons; assign one\n  \
         as a rep: the inbox, whom to call and why\n  as an admin: ingestion, refused events",
        app.config.public_url
    ));
    Ok(())
}

fn number(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A bar at a terminal, lines of the log elsewhere.
struct Progress(ProgressBar);

impl Progress {
    fn new(total: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or_default());
        if let Ok(style) =
            ProgressStyle::with_template("  {bar:30} {human_pos} of {human_len} events")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn add(&self, through: usize) {
        let before = self.0.position();
        self.0.inc(u64::try_from(through).unwrap_or_default());
        let after = self.0.position();
        if !std::io::stderr().is_terminal() && before / 10_000 != after / 10_000 {
            tracing::info!(events = after, "sending the demo");
        }
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}
