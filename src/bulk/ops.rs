//! Writing records: in chunks, each a transaction under the drainer's lock.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Connection, PgConnection};

use super::call::Sender;
use super::kind::Kind;
use super::known::{Known, Status, Subject};
use super::lines::{self, Line};
use super::row::{self, Fault, Ids, Row, Said};
use super::store;
use crate::catalog;
use crate::db::{Database, Pool};
use crate::error::{Error, Result, caught};
use crate::ingest::chunk::Chunk;
use crate::ingest::drain::Projection;
use crate::ingest::store_drain::{self, Counts};
use crate::subscriptions;
use crate::subscriptions::terms;

/// Records of one transaction: some tenths of a second of work.
pub const CHUNK: usize = 2_000;
/// Records of one request.
pub const MOST: usize = 50_000;

/// A record on its way, or why it goes nowhere.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its line, or place, from 1.
    pub line: usize,
    /// What names it, as far as that can be told.
    pub ids: Ids,
    /// What it says.
    pub read: Result<Row, Vec<Fault>>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// As in [`Entry`].
    pub line: usize,
    /// As in [`Entry`].
    pub ids: Ids,
    /// What it did.
    pub status: Status,
    /// Why it was refused.
    pub faults: Vec<Fault>,
}

/// Reads the records of a body. A record without a time of its own gets that of its receipt, the
/// later ones of a body a microsecond more each: of two words about one thing the later line wins.
///
/// # Errors
/// When the body as a whole cannot be read; says why.
pub fn read(kind: Kind, body: &[u8], now: DateTime<Utc>) -> Result<Vec<Entry>, String> {
    let lines = lines::split(body)?;
    if lines.len() > MOST {
        return Err(format!(
            "The body has {} records, the limit is {MOST}. Send it in parts.",
            lines.len()
        ));
    }
    Ok(lines.into_iter().map(|line| read_line(kind, line, now)).collect())
}

fn read_line(kind: Kind, line: Line<'_>, now: DateTime<Utc>) -> Entry {
    match lines::members(line.bytes) {
        Ok(members) => entry(kind, line.number, &members, now),
        Err((code, message)) => Entry {
            line: line.number,
            ids: Ids::new(),
            read: Err(vec![Fault::whole(code, message)]),
        },
    }
}

/// A record as an entry, see [`read`].
#[must_use]
pub fn entry(
    kind: Kind,
    line: usize,
    members: &serde_json::Map<String, serde_json::Value>,
    now: DateTime<Utc>,
) -> Entry {
    let later = TimeDelta::microseconds(i64::try_from(line).unwrap_or_default());
    let read = row::read(kind, members, now + later, now);
    let ids = read.as_ref().map_or_else(|_| row::ids_of(kind, members), Row::ids);
    Entry { line, ids, read }
}

/// Writes all records, chunk by chunk; each chunk is committed before the next begins. The answer
/// holds an outcome for each record of every chunk that was committed, and the error that kept the
/// others out, if there was one.
pub fn write(
    db: &Database,
    sender: Sender,
    projections: &[Projection],
    entries: Vec<Entry>,
) -> (Vec<Outcome>, Option<Error>) {
    let mut outcomes = Vec::with_capacity(entries.len());
    for chunk in entries.chunks(CHUNK) {
        let room = db.check_room();
        match room.and_then(|_| db.tx(Pool::Ingest, |conn| apply(conn, sender, projections, chunk)))
        {
            Ok(done) => outcomes.extend(done),
            Err(error) => return (outcomes, Some(error)),
        }
    }
    (outcomes, None)
}

/// Writes the records of one chunk in the caller's transaction.
///
/// # Errors
/// When the database cannot be talked to now. A record that cannot be written is no error: it is
/// refused, alone.
pub fn apply(
    conn: &mut PgConnection,
    sender: Sender,
    projections: &[Projection],
    entries: &[Entry],
) -> Result<Vec<Outcome>> {
    store_drain::lock(conn)?;
    let mut outcomes = addressed(conn, entries)?;
    let mut rows: Vec<(usize, &Row)> = Vec::new();
    for (at, (outcome, row)) in outcomes.iter().enumerate() {
        if let (true, Some(row)) = (outcome.faults.is_empty(), row) {
            rows.push((at, row));
        }
    }
    let mut said = Vec::new();
    by_halves(conn, sender, projections, &rows, &mut said)?;
    for (at, verdict) in said {
        if let Some((outcome, _)) = outcomes.get_mut(at) {
            match verdict {
                Ok(status) => outcome.status = status,
                Err(fault) => {
                    outcome.status = Status::Rejected;
                    outcome.faults.push(fault);
                }
            }
        }
    }
    Ok(outcomes.into_iter().map(|(outcome, _)| outcome).collect())
}

/// Tells what the records of one chunk would do and how they would leave their subjects, and writes
/// nothing. `earlier` holds how the parts before it left subjects that come again; `came` tells of the
/// others whether they came before.
///
/// # Errors
/// When the database fails.
pub fn preview(
    conn: &mut PgConnection,
    entries: &[Entry],
    earlier: &Known,
    came: impl Fn(&Subject) -> bool,
) -> Result<(Vec<Outcome>, Known)> {
    let mut outcomes = addressed(conn, entries)?;
    let rows: Vec<&Row> = outcomes.iter().filter_map(|(_, row)| row.as_ref()).collect();
    let mut known = Known::load(conn, &rows)?;
    known.overlay(earlier, &rows);
    for (outcome, row) in &mut outcomes {
        if let Some(row) = row {
            outcome.status = match known.hear(row) {
                Status::Created if Subject::of(row).as_ref().is_some_and(&came) => Status::Updated,
                heard => heard,
            };
        }
    }
    Ok((outcomes.into_iter().map(|(outcome, _)| outcome).collect(), known))
}

/// The outcomes so far, each with the record if it can be written: accounts by their domain.
fn addressed(conn: &mut PgConnection, entries: &[Entry]) -> Result<Vec<(Outcome, Option<Row>)>> {
    let wanted: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match &entry.read.as_ref().ok()?.said {
            Said::Account { domain: None, account_id, .. } => account_id.as_deref(),
            _ => None,
        })
        .collect();
    let mut domains = store::domains_by_account_id(conn, &wanted)?;
    Ok(entries
        .iter()
        .map(|entry| {
            let mut row = entry.read.as_ref().ok().cloned();
            let mut faults = entry.read.as_ref().err().cloned().unwrap_or_default();
            if let Some(Row { said: Said::Account { domain, account_id: Some(id), .. }, .. }) =
                &mut row
            {
                match domain {
                    Some(domain) => note(&mut domains, id, domain),
                    None => match found(&domains, id) {
                        Ok(found) => *domain = Some(found),
                        Err(fault) => {
                            faults.push(fault);
                            row = None;
                        }
                    },
                }
            }
            let status = if row.is_some() { Status::Unchanged } else { Status::Rejected };
            (Outcome { line: entry.line, ids: entry.ids.clone(), status, faults }, row)
        })
        .collect())
}

/// A record names an id and its domain: the lines after it may name the id alone.
fn note(domains: &mut BTreeMap<String, Vec<String>>, id: &str, domain: &str) {
    let known = domains.entry(id.to_owned()).or_default();
    if !known.iter().any(|known| known == domain) {
        known.push(domain.to_owned());
    }
}

fn found(domains: &BTreeMap<String, Vec<String>>, id: &str) -> Result<String, Fault> {
    match domains.get(id).map(Vec::as_slice) {
        Some([domain]) => Ok(domain.clone()),
        Some([one, other, ..]) => {
            let text = format!(
                "several accounts go by this id ({one}, {other}). Send the domain as well."
            );
            Err(Fault::at("account_id", "ambiguous_account", text))
        }
        _ => {
            let text = "no account goes by this id yet. Send its domain with it, once.";
            Err(Fault::at("account_id", "unknown_account", text))
        }
    }
}

type Verdict = (usize, Result<Status, Fault>);

/// Writes all of them at once; when that fails, the half at fault apart, down to the record.
fn by_halves(
    conn: &mut PgConnection,
    sender: Sender,
    projections: &[Projection],
    rows: &[(usize, &Row)],
    said: &mut Vec<Verdict>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let records: Vec<&Row> = rows.iter().map(|(_, row)| *row).collect();
    match conn.transaction(|conn| caught(|| at_once(&mut *conn, sender, projections, &records))) {
        Ok(statuses) => {
            said.extend(rows.iter().zip(statuses).map(|((at, _), status)| (*at, Ok(status))));
            Ok(())
        }
        Err(error) if error.passes() => Err(error),
        Err(error) => match rows {
            [(at, _)] => {
                tracing::error!(%error, "a record cannot be written");
                let text = "Ripen could not store this record; the cause is in the server's log. Its neighbours were stored.";
                said.push((*at, Err(Fault::whole("internal", text))));
                Ok(())
            }
            several => {
                let (first, second) = several.split_at(several.len() / 2);
                by_halves(conn, sender, projections, first, said)?;
                by_halves(conn, sender, projections, second, said)
            }
        },
    }
}

fn at_once(
    conn: &mut PgConnection,
    sender: Sender,
    projections: &[Projection],
    rows: &[&Row],
) -> Result<Vec<Status>> {
    let subscriptions: Vec<&terms::Row> = rows
        .iter()
        .filter_map(|row| match &row.said {
            Said::Subscription(said) => Some(said),
            _ => None,
        })
        .collect();
    if subscriptions.len() == rows.len() {
        // No call says what a subscription is: their own feature writes them.
        let written = subscriptions::ops::upsert(conn, &subscriptions, sender.received_at)?;
        return Ok(written.into_iter().map(Status::from).collect());
    }
    let mut known = Known::load(conn, rows)?;
    let statuses = rows.iter().map(|row| known.hear(row)).collect();
    let mut chunk = Chunk::new(sender.received_at, catalog::ops::load(conn)?);
    chunk.events = sender.calls(rows);
    for projection in projections {
        projection(conn, &mut chunk)?;
    }
    store_drain::conclude(conn, &chunk, &Counts::new())?;
    Ok(statuses)
}
