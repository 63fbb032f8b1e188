//! A stored file, row by row: parts out of the database, inflated, decoded, cut into cells. Memory holds
//! one part and one row, up to its limits.

use std::io::{self, Cursor, Read};

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use uuid::Uuid;

use super::encoding::encoding_named;
use super::record::{Cells, Cutter};
use super::sheet;
use super::store::Import;
use super::store_parts;
use crate::db::{Database, Pool};
use crate::error::{Error, Result};

/// Bytes of a part, as uploaded.
pub const PART: usize = 1024 * 1024;

/// A part as it is kept.
///
/// # Errors
/// When memory is short.
pub fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    ZlibEncoder::new(bytes, Compression::fast())
        .read_to_end(&mut packed)
        .map_err(Error::internal)?;
    Ok(packed)
}

/// Reads the parts one after the other.
struct Parts {
    db: Database,
    pool: Pool,
    import: Uuid,
    next: i32,
    part: Cursor<Vec<u8>>,
    ended: bool,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            let (import, number) = (self.import, self.next);
            let packed = self
                .db
                .read(self.pool, |conn| store_parts::part(conn, import, number))
                .map_err(io::Error::other)?;
            match packed {
                None => self.ended = true,
                Some(packed) => {
                    let mut plain = Vec::with_capacity(PART);
                    ZlibDecoder::new(packed.as_slice()).read_to_end(&mut plain)?;
                    self.part = Cursor::new(plain);
                    self.next = self.next.saturating_add(1);
                }
            }
        }
    }
}

/// The rows of a file, its header first.
pub struct Rows {
    cutter: Cutter<DecodeReaderBytes<Parts, Vec<u8>>>,
    is_first: bool,
}

impl Rows {
    /// Opens a file, to be read in this encoding with this delimiter.
    #[must_use]
    pub fn open(db: &Database, pool: Pool, import: Uuid, encoding: &str, delimiter: &str) -> Self {
        let parts =
            Parts { db: db.clone(), pool, import, next: 0, part: Cursor::default(), ended: false };
        let decoded = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding_named(encoding)))
            .strip_bom(true)
            .build(parts);
        let cutter = Cutter::new(decoded, sheet::delimiter_byte(delimiter));
        Self { cutter, is_first: true }
    }

    /// As [`Rows::open`], after the header, for work in the background.
    ///
    /// # Errors
    /// As [`Rows::next_row`].
    pub fn of(db: &Database, import: &Import) -> Result<Self> {
        let mut rows = Self::open(db, Pool::Work, import.id, &import.encoding, &import.delimiter);
        for _ in 0..=import.header_row {
            rows.next_row()?;
        }
        Ok(rows)
    }

    /// The next row that is not blank, a first line `sep=;` aside; none at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub fn next_row(&mut self) -> Result<Option<Cells>> {
        loop {
            let row = self.cutter.next_row();
            let row = row.map_err(|error| Error::Unavailable(2, error.to_string()))?;
            let is_first = std::mem::take(&mut self.is_first);
            let is_none = |row: &Cells| {
                !row.is_too_long
                    && (sheet::is_blank_row(&row.cells)
                        || (is_first && sheet::is_declaration(&row.cells)))
            };
            if !row.as_ref().is_some_and(is_none) {
                return Ok(row);
            }
        }
    }
}

/// The first rows of a file, its header first.
///
/// # Errors
/// When the database fails.
pub fn first_rows(
    db: &Database,
    import: Uuid,
    encoding: &str,
    delimiter: &str,
    most: usize,
) -> Result<Vec<Cells>> {
    let mut rows = Rows::open(db, Pool::Web, import, encoding, delimiter);
    let mut found = Vec::new();
    while found.len() < most {
        let Some(row) = rows.next_row()? else { break };
        found.push(row);
    }
    Ok(found)
}
