//! The file of refused rows: what is wrong with each, and its cells, so that they can be mended and sent
//! back as they are. Pure.

use super::escape;

/// The column that says what is wrong: the first, since a row may have any number of cells.
const COLUMN: &str = "error";
/// By this mark spreadsheets know that the file is UTF-8.
const MARK: &str = "\u{feff}";

/// The header without its first column, where that holds what an earlier file of errors said.
#[must_use]
pub fn sent_back(header: &[String]) -> Option<&[String]> {
    header.split_first().filter(|(first, rest)| *first == COLUMN && !rest.is_empty()).map(|of| of.1)
}

/// How the errors of a file are written: with the file's own delimiter, which opens as the file did.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    delimiter: u8,
    /// The file itself was one of errors: what it said makes way.
    is_sent_back: bool,
}

impl Writer {
    /// For a file with this header, mapped so.
    #[must_use]
    pub fn new(header: &[String], mapping: &[String], delimiter: u8) -> Self {
        let is_left_out = mapping.first().is_none_or(String::is_empty);
        Self { delimiter, is_sent_back: is_left_out && sent_back(header).is_some() }
    }

    /// The names of the columns.
    ///
    /// # Errors
    /// When memory is short.
    pub fn head(self, header: &[String]) -> csv::Result<Vec<u8>> {
        Ok([MARK.as_bytes(), &self.lines([(COLUMN, header)])?].concat())
    }

    /// Rows: what is wrong with each, and its cells.
    ///
    /// # Errors
    /// When memory is short.
    pub fn lines<'a>(
        self,
        rows: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> csv::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .delimiter(self.delimiter)
            .from_writer(&mut text);
        for (what, cells) in rows {
            let own = cells.iter().skip(usize::from(self.is_sent_back));
            // The file's own apostrophes are those of its cells' escape.
            let all = std::iter::once(what).chain(own.map(|cell| escape::plain(cell)));
            writer.write_record(all.map(|cell| escape::cell(cell).into_owned()))?;
        }
        writer.flush()?;
        drop(writer);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bulk::kind::Kind;
    use crate::imports::mapping;
    use crate::imports::record::Cutter;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn read(file: &[u8], delimiter: u8) -> Vec<Vec<String>> {
        let mut cutter = Cutter::new(file.strip_prefix(MARK.as_bytes()).unwrap(), delimiter);
        std::iter::from_fn(|| cutter.next_row().unwrap().map(|row| row.cells)).collect()
    }

    #[test]
    fn what_is_wrong_comes_first_and_makes_way_for_the_next_time() {
        let (header, mapping) = (texts(&["id", "phone"]), texts(&["user_id", "trait:phone"]));
        let writer = Writer::new(&header, &mapping, b';');
        let mut file = writer.head(&header).unwrap();
        file.extend(writer.lines([("Too many.", &*texts(&["u1", "+49 30", "x;y"]))]).unwrap());
        assert_eq!(
            String::from_utf8(file.clone()).unwrap(),
            "\u{feff}error;id;phone\nToo many.;u1;'+49 30;\"x;y\"\n"
        );
        let rows = read(&file, b';');
        assert_eq!(sent_back(&rows[0]), Some(&*header));
        let mapping = [vec![String::new()], mapping].concat();
        let again = Writer::new(&rows[0], &mapping, b';');
        assert_eq!(again.head(&rows[0]).unwrap(), writer.head(&header).unwrap());
        assert_eq!(
            again.lines([("Still.", &*rows[1])]).unwrap(),
            b"Still.;u1;'+49 30;\"x;y\"\n",
            "no apostrophe more each time"
        );
        // A column of that name which is mapped is the file's own.
        let own = Writer::new(&rows[0], &texts(&["trait:error", "user_id", ""]), b';');
        assert!(own.head(&rows[0]).unwrap().starts_with("\u{feff}error;error;id".as_bytes()));
    }

    proptest! {
        #[test]
        fn rows_that_are_sent_back_say_what_they_said(
            cells in prop::collection::vec("['=+@;,\\-\"\t\r\n a0]{0,6}|\\PC{0,20}", 1..5), delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        ) {
            let header: Vec<String> = (0..cells.len()).map(|at| format!("c{at}")).collect();
            let mapping: Vec<String> = header.iter().map(|name| format!("trait:{name}")).collect();
            let writer = Writer::new(&header, &mapping, delimiter);
            let mut file = writer.head(&header).unwrap();
            file.extend(writer.lines([("=wrong", &*cells)]).unwrap());
            let rows = read(&file, delimiter);
            prop_assert_eq!(rows.len(), 2);
            let mapping_back = [vec![String::new()], mapping.clone()].concat();
            prop_assert_eq!(
                mapping::members(Kind::Users, &rows[0], &mapping_back, true, &rows[1]),
                mapping::members(Kind::Users, &header, &mapping, true, &cells)
            );
        }
    }
}
