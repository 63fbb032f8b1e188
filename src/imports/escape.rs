//! Cells that a spreadsheet would run as a formula, and back. Pure.

use std::borrow::Cow;

/// Whether a spreadsheet would run it, but for the apostrophes in front.
fn is_formula(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    let is_number = || {
        text.parse::<f64>().is_ok()
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
    };
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number()
}

/// The cell as text for every spreadsheet: what begins like a formula and is no number gets an
/// apostrophe in front, one more than it has. [`plain`] takes it away again.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// What a cell says without the apostrophe that keeps it from being run.
#[must_use]
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'\t=1"),
            ("+49 30 1234", "'+49 30 1234"),
            ("-", "'-"),
            ("-inf", "'-inf"),
            ("'=1", "''=1"),
            ("-2.5", "-2.5"),
            ("+49", "+49"),
            ("plain", "plain"),
            ("'quoted'", "'quoted'"),
            ("", ""),
        ] {
            assert_eq!(cell(text), safe);
        }
    }

    proptest! {
        #[test]
        fn what_was_escaped_reads_as_it_was(text in "[='+@\\-\t a0.e]{0,6}|\\PC{0,20}") {
            let safe = cell(&text);
            prop_assert_eq!(plain(&safe), text.as_str());
            prop_assert!(safe.starts_with('\'') || !is_formula(&safe));
        }
    }
}
