//! A file of events into the journal: read line by line, written in batches, never held in memory.

use std::io::{self, BufRead, BufReader, Read};

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use uuid::Uuid;

use super::endpoint::Endpoint;
use super::import::{self, Names};
use super::parse::Parsed;
use super::writer::{Refused, Submission};
use super::{failure, intake, journal, moment, parse, store_journal};
use crate::clock::Clock;
use crate::db::{Database, Pool};
use crate::error::{Error, Result};
use crate::ids::SourceId;

/// Lines of one journal row.
const LINES: usize = 500;
/// Journal rows of one transaction.
const ROWS: usize = 20;
/// A longer line is no event; the rest of it is skipped.
const LINE_LIMIT: u64 = 1024 * 1024;

/// How far the file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Lines that were not blank.
    pub lines: u64,
    /// Events in the journal now; a line may be several.
    pub events: u64,
    /// Events that became dead letters.
    pub rejected: u64,
}

/// The lines of a file, inflated when it is gzip, whatever its name says.
///
/// # Errors
/// When the file cannot be read.
pub fn open(file: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let zipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped {
        Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    })
}

/// Loads every line into the journal as events of this source; tells now and then how far it is.
/// Loading the same lines again adds nothing to what is known: the drainer knows their messages.
///
/// # Errors
/// When the file cannot be read or the database fails; what was committed by then stays.
pub fn load(
    database: &Database,
    clock: &Clock,
    source: SourceId,
    mut lines: impl BufRead,
    names: &Names,
    mut tell: impl FnMut(Loaded),
) -> Result<Loaded> {
    let today = clock.today();
    match database.tx(Pool::Work, |conn| store_journal::create_partitions(conn, today)) {
        // Somebody reads the journal, for hours maybe: the default partition serves.
        Err(error) if error.is_held_up() => {}
        made => made?,
    }
    let mut loaded = Loaded::default();
    let mut number = 0;
    let mut ended = false;
    while !ended {
        let mut group = Vec::new();
        while group.len() < ROWS && !ended {
            let mut row = Row::new(clock.now());
            while row.lines < LINES {
                let Some(text) = next_line(&mut lines)? else {
                    ended = true;
                    break;
                };
                number += 1;
                row.add(&text, number, names);
            }
            if row.lines > 0 {
                loaded.lines += u64::try_from(row.lines).unwrap_or_default();
                group.push(row.submission(source));
            }
        }
        let room = database.check_room()?;
        database.tx(Pool::Work, |conn| {
            store_journal::append(conn, room, &group.iter().collect::<Vec<_>>())
        })?;
        for submission in &group {
            loaded.events += u64::try_from(submission.events).unwrap_or_default();
            loaded.rejected += u64::try_from(submission.refused.len()).unwrap_or_default();
        }
        tell(loaded);
    }
    Ok(loaded)
}

struct Row {
    at: DateTime<Utc>,
    lines: usize,
    events: usize,
    text: Vec<u8>,
    refused: Vec<Refused>,
}

impl Row {
    fn new(at: DateTime<Utc>) -> Self {
        Self { at, lines: 0, events: 0, text: Vec::new(), refused: Vec::new() }
    }

    fn add(&mut self, text: &str, number: u64, names: &Names) {
        let Some(line) = import::line(text, number, names) else { return };
        self.lines += 1;
        let received_at = line.received_at.unwrap_or(self.at);
        match parse::body(&line.body, Endpoint::Batch, received_at, line.request) {
            Ok(Parsed { mut accepted, rejected, .. }) => {
                // The lines of a file are the items of one request.
                for (item, message) in accepted.iter_mut().enumerate() {
                    let item = u64::try_from(item).unwrap_or_default();
                    message.seq =
                        moment::seq_of_line(received_at, number).saturating_add_unsigned(item);
                }
                accepted.iter().for_each(|message| journal::write(message, &mut self.text));
                self.events += accepted.len();
                self.refused.extend(rejected.iter().map(|event| Refused {
                    id: Uuid::new_v5(&line.request, event.index.to_string().as_bytes()),
                    may_be_another: false,
                    ..intake::refused(event)
                }));
            }
            Err(error) => self.refused.push(Refused {
                id: line.request,
                may_be_another: false,
                code: error.code().to_owned(),
                message: format!("Line {number}: {error}"),
                message_id: None,
                event_name: None,
                raw: text
                    .chars()
                    .take(failure::RAW_LIMIT / 4)
                    .collect::<String>()
                    .replace('\0', "\u{fffd}"),
            }),
        }
    }

    fn submission(self, source_id: SourceId) -> Submission {
        Submission {
            source_id,
            stored_at: self.at,
            events: self.events,
            lines: self.text,
            refused: self.refused,
        }
    }
}

/// The next line, at most [`LINE_LIMIT`] bytes of it.
fn next_line(lines: &mut impl BufRead) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    let unreadable =
        |error: io::Error| Error::Internal(format!("the file cannot be read further: {error}"));
    let read = lines.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut bytes).map_err(unreadable)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && u64::try_from(read).unwrap_or_default() == LINE_LIMIT {
        lines.skip_until(b'\n').map_err(unreadable)?;
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
