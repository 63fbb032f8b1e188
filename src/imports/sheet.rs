//! How the text of a file is laid out: what stands between its cells, which row names its columns. Pure.

use crate::values::text::{is_blank, trimmed};

/// What may stand between cells.
pub const DELIMITERS: [(&str, &str); 4] =
    [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar")];
/// Rows of the beginning among which the header is looked for, and may be chosen.
pub const HEAD: usize = 10;
/// Rows by which a layout is judged.
const JUDGED: usize = 30;

/// The byte of a delimiter.
#[must_use]
pub fn delimiter_byte(delimiter: &str) -> u8 {
    delimiter.bytes().next().unwrap_or(b',')
}

/// `sep=;`, the first line by which a spreadsheet is told the delimiter: what it says.
#[must_use]
pub fn declared(first_line: &str) -> Option<&'static str> {
    let line = first_line.trim_matches(|c: char| c == '"' || (is_blank(c) && c != '\t'));
    let (name, delimiter) = line.split_at_checked(4)?;
    let found = DELIMITERS.iter().find(|(key, _)| *key == delimiter)?;
    name.eq_ignore_ascii_case("sep=").then_some(found.0)
}

/// Whether a row is that first line, by whatever delimiter it was cut.
#[must_use]
pub fn is_declaration(cells: &[String]) -> bool {
    let Some((first, rest)) = cells.split_first() else { return false };
    let is_bare = first.eq_ignore_ascii_case("sep=") && rest.len() <= 1;
    declared(first).is_some() || (is_bare && rest.iter().all(String::is_empty))
}

/// Whether all cells of a row are blank.
#[must_use]
pub fn is_blank_row(cells: &[String]) -> bool {
    cells.iter().all(|cell| trimmed(cell).is_empty())
}

/// Cells up to the last one that is not blank.
fn width(cells: &[String]) -> usize {
    let last = cells.iter().rposition(|cell| !trimmed(cell).is_empty());
    last.map_or(0, |last| last.saturating_add(1))
}

/// Which of these rows, from 0, names the columns: the first that is about as wide as the widest. Above
/// it stand titles.
#[must_use]
pub fn header_at(rows: &[Vec<String>]) -> usize {
    let widest = rows.iter().map(|row| width(row)).max().unwrap_or(0);
    let wide = widest.div_ceil(2).max(2).min(widest);
    rows.iter().take(HEAD).position(|row| width(row) >= wide).unwrap_or(0)
}

/// The row that a form names, from 0, if it may be chosen.
#[must_use]
pub fn row_named(text: &str) -> Option<i32> {
    let row: i32 = text.parse().ok()?;
    usize::try_from(row).is_ok_and(|row| row < HEAD).then_some(row)
}

/// What stands between the cells of this text: what its first line declares, else of the four the one
/// that gives most rows the same number of cells, and the more the better.
#[must_use]
pub fn delimiter(text: &str) -> &'static str {
    let first_line = text.split(['\r', '\n']).find(|line| !line.is_empty()).unwrap_or_default();
    if let Some(declared) = declared(first_line) {
        return declared;
    }
    let score = |delimiter: &str| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter_byte(delimiter))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let widths: Vec<usize> =
            reader.byte_records().take(JUDGED).filter_map(|row| Some(row.ok()?.len())).collect();
        let agreeing = |many: usize| widths.iter().filter(|width| **width == many).count();
        let usual = widths.iter().copied().max_by_key(|many| (agreeing(*many), *many)).unwrap_or(0);
        let share = agreeing(usual).saturating_mul(100) / widths.len().max(1);
        if usual > 1 { (share, usual) } else { (0, 0) }
    };
    let mut best = (",", score(","));
    for (delimiter, _) in DELIMITERS.iter().skip(1) {
        let found = score(delimiter);
        if found > best.1 {
            best = (delimiter, found);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_told_apart() {
        assert_eq!(delimiter("a,b\n1,2\n"), ",");
        assert_eq!(delimiter("a;b\n1,5;2,5\n"), ";");
        assert_eq!(delimiter("a\tb\tc\n1\t2\t3"), "\t");
        assert_eq!(delimiter("a|b\n1|2"), "|");
        assert_eq!(delimiter("only\n1\n"), ",");
        assert_eq!(delimiter("\"a;b\",c\n\"x;y\",z\n"), ",");
        assert_eq!(delimiter("Customers, November\na;b;c\n1;2;3\n4;5;6\n"), ";", "below a title");
    }

    #[test]
    fn a_first_line_may_declare_the_delimiter() {
        for (text, found) in [
            ("sep=;\na,b;c\n", ";"),
            ("SEP=,\r\na;b;c\r\n", ","),
            ("\"sep=;\"\na,b\n", ";"),
            ("sep=\t\na,b\n", "\t"),
            ("sep=|\na\n", "|"),
        ] {
            assert_eq!(delimiter(text), found, "{text}");
        }
        assert_eq!(declared("sep=x"), None);
        assert_eq!(declared("separator;b"), None);
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert!(is_declaration(&row(&["sep=", ""])) && is_declaration(&row(&["sep=;"])));
        assert!(!is_declaration(&row(&["sep=", "x"])) && !is_declaration(&row(&["sep", "id"])));
    }

    #[test]
    fn titles_stand_above_the_header() {
        let rows = |text: &str| -> Vec<Vec<String>> {
            text.lines().map(|line| line.split(';').map(str::to_owned).collect()).collect()
        };
        for (text, at) in [
            ("id;name;plan\n1;a;b", 0),
            ("Customers\nid;name;plan\n1;a;b", 1),
            ("Customers;;\nid;name;plan\n1;a;b", 1),
            ("Report;2026-11-20\nby Dana\nid;name;plan;seats;mrr;x\n1;a;b;1;2;3", 2),
            ("id;name;plan\n1\n2;b", 0),
            ("id\n1\n2", 0),
            ("id;\n1;\n2;", 0),
            ("id;name;plan\n1;a;b;surplus", 0),
            ("", 0),
        ] {
            assert_eq!(header_at(&rows(text)), at, "{text}");
        }
    }
}
