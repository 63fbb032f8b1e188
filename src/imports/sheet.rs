//! How the text of a file is laid out: what stands between its cells, which row names its columns. Pure.

use std::cmp::Reverse;

use super::record::Cells;
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

/// Which of these rows, from 0, names the columns: the one with most known names of columns, as `known`
/// counts them; else the first that is about as wide as the widest. Above it stand titles, below it at
/// least one row. Nothing is looked for behind a row that is too long.
#[must_use]
pub fn header_at(rows: &[Cells], known: impl Fn(&[String]) -> usize) -> usize {
    let read = || rows.iter().take_while(|row| !row.is_too_long).map(|row| row.cells.as_slice());
    let widest = read().map(width).max().unwrap_or(0);
    let wide = widest.div_ceil(2).max(2).min(widest);
    let most = HEAD.min(rows.len().saturating_sub(1));
    let found = read()
        .take(most)
        .enumerate()
        .max_by_key(|(at, cells)| (known(cells), width(cells) >= wide, Reverse(*at)));
    found.map_or(0, |(at, _)| at)
}

/// The row that a form names, from 0, if it may be chosen.
#[must_use]
pub fn row_named(text: &str) -> Option<i32> {
    let row: i32 = text.parse().ok()?;
    usize::try_from(row).is_ok_and(|row| row < HEAD).then_some(row)
}

/// What stands between the cells of this text: what its first line declares; else of the four the one
/// that finds most known names of columns in one row, as `known` counts them; else the one that gives
/// most rows the same number of cells, empty ones at the end aside, and the more the better.
#[must_use]
pub fn delimiter(text: &str, known: impl Fn(&[String]) -> usize) -> &'static str {
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
        let rows: Vec<Vec<String>> = reader
            .records()
            .take(JUDGED)
            .filter_map(|row| Some(row.ok()?.iter().map(str::to_owned).collect()))
            .collect();
        let header = rows.iter().take(HEAD).max_by_key(|row| known(row));
        let names = header.map_or(0, |row| known(row));
        let is_one_column = names > 0 && header.is_some_and(|row| row.len() <= 1);
        let widths: Vec<(usize, usize)> = rows.iter().map(|row| (row.len(), width(row))).collect();
        let agreeing = |many: usize| {
            widths.iter().filter(|(all, filled)| *all == many || *filled == many).count()
        };
        let each = widths.iter().flat_map(|(all, filled)| [*all, *filled]);
        let usual = each.max_by_key(|many| (agreeing(*many), *many)).unwrap_or(0);
        let share = agreeing(usual).saturating_mul(100) / widths.len().max(1);
        if usual > 1 && !is_one_column { (names, share, usual) } else { (names, 0, 0) }
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

    fn known(cells: &[String]) -> usize {
        cells.iter().filter(|cell| ["user_id", "email"].contains(&cell.as_str())).count()
    }

    #[test]
    fn delimiters_are_told_apart() {
        assert_eq!(delimiter("a,b\n1,2\n", known), ",");
        assert_eq!(delimiter("a;b\n1,5;2,5\n", known), ";");
        assert_eq!(delimiter("a\tb\tc\n1\t2\t3", known), "\t");
        assert_eq!(delimiter("a|b\n1|2", known), "|");
        assert_eq!(delimiter("only\n1\n", known), ",");
        assert_eq!(delimiter("\"a;b\",c\n\"x;y\",z\n", known), ",");
        assert_eq!(
            delimiter("Customers, November\na;b;c\n1;2;3\n4;5;6\n", known),
            ";",
            "below a title"
        );
    }

    #[test]
    fn rows_without_their_last_cells_hide_no_delimiter() {
        for (text, found) in [
            ("Customers\nuser_id;email;x\nu1;Lee, Dana;CTO;;\nu2;Eve\nu3\n", ";"),
            ("user_id\temail\nu1\nu2\nu3\n", "\t"),
            ("Title\na;b;c\n1;2, 3;4;;\n5;6;7\n8\n", ";"),
            ("user_id\nSmith; John\nDoe; Jane\nu3, x\n", ","),
        ] {
            assert_eq!(delimiter(text, known), found, "{text}");
        }
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
            assert_eq!(delimiter(text, known), found, "{text}");
        }
        assert_eq!(declared("sep=x"), None);
        assert_eq!(declared("separator;b"), None);
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert!(is_declaration(&row(&["sep=", ""])) && is_declaration(&row(&["sep=;"])));
        assert!(!is_declaration(&row(&["sep=", "x"])) && !is_declaration(&row(&["sep", "id"])));
    }

    #[test]
    fn titles_stand_above_the_header() {
        let rows = |text: &str| -> Vec<Cells> {
            let row = |line: &str| Cells {
                cells: line.split(';').map(str::to_owned).collect(),
                is_too_long: line == "too long",
                ..Cells::default()
            };
            text.lines().map(row).collect()
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
            ("user_id;\nu1;x\nu2;y", 0),
            ("Customers;\nuser_id;name\nu1;x", 1),
            ("Report;2026\nuser_id;a;b;c;d\nu1;x\nu2;y", 1),
            ("user_id;a\nu1;b;c;d;e;f\nu2;b", 0),
            ("plan;\nfree;x", 0),
            ("id\n1;2", 0),
            ("too long\n1\n2;3", 0),
            ("id;name\ntoo long\n1;2;3;4;5;6;7", 0),
            ("", 0),
        ] {
            assert_eq!(header_at(&rows(text), known), at, "{text}");
        }
    }
}
