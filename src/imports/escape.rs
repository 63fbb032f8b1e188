//! Cells that a spreadsheet would run as a formula. Pure.

use std::borrow::Cow;

/// The cell as text for every spreadsheet: what begins like a formula and is no number gets an
/// apostrophe in front.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'\t=1"),
            ("-2.5", "-2.5"),
            ("+49", "+49"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(cell(text), safe);
        }
    }
}
