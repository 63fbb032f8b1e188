//! CSV text, row by row. Pure but for the reader that it is given.
//!
//! A row is kept only up to a size far beyond any record's: a quote that is never closed makes the rest of
//! a file one cell, and a file of commas has millions of cells. Such a row is read to its end and handed on
//! without its cells, so that its neighbours come to no harm.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The most bytes that a row's cells may have together.
pub const LARGEST_ROW: usize = 2 * 1024 * 1024;
/// The most cells that a row may have.
pub const MOST_CELLS: usize = 10_000;
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// A row, and the line of the file on which it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// From 1. Lines end by CR, LF, or both; no two rows have the same.
    pub line: i64,
    /// As they stand in the file; none when the row is too long.
    pub cells: Vec<String>,
    /// The row has more than [`LARGEST_ROW`] bytes or [`MOST_CELLS`] cells.
    pub is_too_long: bool,
}

impl Cells {
    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.cells.iter().map(|cell| cell.len().saturating_add(size_of::<String>())).sum()
    }
}

/// Cuts UTF-8 text into rows; lines that are empty are none.
pub struct Cutter<R> {
    input: R,
    reader: Reader,
    piece: Vec<u8>,
    from: usize,
    to: usize,
    line: i64,
    is_after_return: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Cutter<R> {
    /// For text whose cells are parted by this byte.
    #[must_use]
    pub fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            piece: vec![0; PIECE],
            from: 0,
            to: 0,
            line: 1,
            is_after_return: false,
            text: vec![0; 1024],
            ends: vec![0; 64],
        }
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// The reader's.
    pub fn next_row(&mut self) -> io::Result<Option<Cells>> {
        self.skip_empty_lines()?;
        let line = self.line;
        let (mut length, mut many, mut is_too_long) = (0_usize, 0_usize, false);
        loop {
            self.fill()?;
            let (result, read, wrote, ended) = self.reader.read_record(
                self.piece.get(self.from..self.to).unwrap_or_default(),
                self.text.get_mut(length..).unwrap_or_default(),
                self.ends.get_mut(many..).unwrap_or_default(),
            );
            self.pass(read);
            length = length.saturating_add(wrote);
            many = many.saturating_add(ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < LARGEST_ROW => {
                    self.text.resize(self.text.len().saturating_mul(2).min(LARGEST_ROW), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_CELLS => {
                    self.ends.resize(self.ends.len().saturating_mul(2).min(MOST_CELLS), 0);
                }
                // Read on, over what was read: the row's end is still to be found.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (length, many, is_too_long) = (0, 0, true);
                }
                ReadRecordResult::Record => {
                    let cells = if is_too_long { Vec::new() } else { self.cells(many) };
                    return Ok(Some(Cells { line, cells, is_too_long }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn cells(&self, many: usize) -> Vec<String> {
        let mut from = 0;
        let ends = self.ends.iter().take(many);
        ends.map(|end| {
            let cell = self.text.get(from..*end).unwrap_or_default();
            from = *end;
            String::from_utf8_lossy(cell).into_owned()
        })
        .collect()
    }

    fn skip_empty_lines(&mut self) -> io::Result<()> {
        loop {
            self.fill()?;
            match self.piece.get(self.from..self.to) {
                Some([b'\r' | b'\n', ..]) => self.pass(1),
                _ => return Ok(()),
            }
        }
    }

    /// Makes sure that there is something to read, unless the text has ended.
    fn fill(&mut self) -> io::Result<()> {
        if self.from >= self.to {
            self.from = 0;
            self.to = self.input.read(&mut self.piece)?;
        }
        Ok(())
    }

    /// Goes on by so many bytes, counting the lines that end in them.
    fn pass(&mut self, read: usize) {
        let next = self.from.saturating_add(read).min(self.to);
        for byte in self.piece.get(self.from..next).unwrap_or_default() {
            let is_end = match byte {
                b'\r' => true,
                b'\n' => !self.is_after_return,
                _ => false,
            };
            self.line = self.line.saturating_add(i64::from(is_end));
            self.is_after_return = *byte == b'\r';
        }
        self.from = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<(i64, Vec<String>)> {
        let mut cutter = Cutter::new(text.as_bytes(), b',');
        let mut rows = Vec::new();
        while let Some(row) = cutter.next_row().unwrap() {
            rows.push((row.line, row.cells));
        }
        rows
    }

    #[test]
    fn a_row_knows_the_line_on_which_it_begins_however_lines_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "id,name", "", "1,\"two", "lines\"", "", "2,x", ""].join(end);
            let cell = format!("two{end}lines");
            let wanted = [(2, ["id", "name"]), (4, ["1", cell.as_str()]), (7, ["2", "x"])];
            assert_eq!(
                rows(&text),
                wanted.map(|(line, row)| (line, row.map(str::to_owned).to_vec()))
            );
        }
    }

    #[test]
    fn a_row_that_is_too_long_costs_no_memory_and_harms_no_neighbour() {
        for (long, one) in [(b',', "100 million cells"), (b'x', "a cell of 100 MB")] {
            let text = b"a,b\n".chain(io::repeat(long).take(100_000_000)).chain(&b"\nc,d\n"[..]);
            let mut cutter = Cutter::new(text, b',');
            assert_eq!(cutter.next_row().unwrap().unwrap().cells, ["a", "b"]);
            let row = cutter.next_row().unwrap().unwrap();
            assert_eq!((row.line, row.cells.len(), row.is_too_long), (2, 0, true), "{one}");
            let next = cutter.next_row().unwrap().unwrap();
            assert_eq!(
                (next.line, next.cells, next.is_too_long),
                (3, vec!["c".into(), "d".into()], false)
            );
            assert_eq!(cutter.next_row().unwrap(), None);
            assert!(cutter.text.len() <= LARGEST_ROW && cutter.ends.len() <= MOST_CELLS);
        }
        let widest = ",".repeat(MOST_CELLS - 1);
        assert_eq!(rows(&widest)[0].1.len(), MOST_CELLS);
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_with_the_file() {
        let text = b"a\n\"b".chain(io::repeat(b'\n').take(50_000_000));
        let mut cutter = Cutter::new(text, b',');
        assert_eq!(cutter.next_row().unwrap().unwrap().cells, ["a"]);
        let row = cutter.next_row().unwrap().unwrap();
        assert_eq!((row.line, row.is_too_long), (2, true));
        assert_eq!(cutter.next_row().unwrap(), None);
    }

    /// A reader of so many bytes at once.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_csv_crate(text in "[a,\"\r\n ]{0,60}|\\PC{0,40}", at_once in 1..9_usize) {
            let mut known = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let known: Vec<Vec<String>> =
                known.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            let mut cutter = Cutter::new(Drip(text.as_bytes(), at_once), b',');
            let (mut rows, mut last) = (Vec::new(), 0);
            while let Some(row) = cutter.next_row().unwrap() {
                prop_assert!(row.line > last && !row.is_too_long);
                last = row.line;
                rows.push(row.cells);
            }
            prop_assert_eq!(rows, known);
        }
    }
}
