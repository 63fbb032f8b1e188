//! Texts: blanks around them, and words that stand for an empty field.

use serde_json::{Number, Value};

/// Whether a character shows nothing: white space, control characters, zero-width characters and marks
/// of direction.
#[must_use]
pub fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
        )
}

/// The text without the blanks around it.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// What a spreadsheet's text formula holds: `="00123"` is `00123`. Any other text as it is.
#[must_use]
pub fn without_formula(text: &str) -> &str {
    text.strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|inner| !inner.contains('"'))
        .map_or(text, trimmed)
}

/// A text that is not blank, without the blanks around it; numbers as [`number_text`] writes them.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(without_formula(trimmed(text)).to_owned()),
        Value::Number(number) => Some(number_text(number)),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// A number as JavaScript prints it: `7` and `7.0` are the same text.
#[must_use]
pub fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(0.0) => "0".to_owned(),
        Some(double) if number.is_f64() => double.to_string(),
        _ => number.to_string(),
    }
}

/// What a field holds, which decides the words that stand for nothing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A word of a list, a title, a number, a time: no such word is ever a value.
    Word,
    /// A place: `NA` is Namibia or North America.
    Place,
    /// A name, or something unknown: people are called Null, Nan and Na.
    Name,
}

impl Holds {
    /// What a field or trait of this name, in snake case, holds.
    #[must_use]
    pub fn of(field: &str) -> Self {
        match field {
            "industry" | "sub_industry" | "segment" | "plan" | "plan_name" | "plan_tier"
            | "subscription_plan" | "lifecycle_stage" | "department" | "seniority" | "title"
            | "job_title" | "role" | "persona" | "status" | "type" | "currency"
            | "billing_period" | "email" | "email_address" | "website" | "url" | "domain"
            | "billing_domain" | "billing_email" | "sso_domain" | "account_id" => Self::Word,
            "country" | "hq_country" | "region" | "hq_region" | "territory" => Self::Place,
            _ => Self::Name,
        }
    }
}

/// Whether a text is one that databases, spreadsheets and scripts write into an empty field: `NULL`,
/// `\N`, `#N/A`, `nan`, `None`, `(blank)`, `-`. Blank text is one as well.
#[must_use]
pub fn is_empty_word(text: &str, holds: Holds) -> bool {
    let text = without_formula(trimmed(text));
    if text.len() > 24 {
        return false;
    }
    if text.chars().all(is_punctuation) || matches!(text, "\\N" | "NaT") || is_error_cell(text) {
        return true;
    }
    let inner = wrapped(text);
    let word = fold(inner.unwrap_or(text));
    if inner.is_some() && matches!(word.as_str(), "blank" | "empty" | "novalue" | "na" | "missing")
    {
        return true;
    }
    match word.as_str() {
        // `None` is how Python writes nothing; nobody is called so.
        "none" | "undefined" | "notset" | "notavailable" | "notapplicable" => true,
        "n/a" | "n.a." | "n.a" | "n/v" | "#n/a" => true,
        "null" | "nil" | "nan" => holds != Holds::Name || inner.is_some() || !is_capitalised(text),
        "na" => holds == Holds::Word,
        "unknown" => holds != Holds::Name,
        _ => false,
    }
}

/// The text of a field that says something: not blank, no word for an empty field.
#[must_use]
pub fn said(value: &Value, holds: Holds) -> Option<String> {
    text_of(value).filter(|text| !is_empty_word(text, holds))
}

/// Whether two words are the same but for case and the blanks around them: `EMEA` and `emea`.
#[must_use]
pub fn same_word(one: &str, other: &str) -> bool {
    let folded =
        |text: &str| trimmed(text).chars().flat_map(char::to_lowercase).collect::<String>();
    folded(one) == folded(other)
}

/// `Null`, as a person writes a name, and no program writes nothing.
fn is_capitalised(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_uppercase)
        && text != "NaN"
        && letters.all(char::is_lowercase)
}

fn is_punctuation(character: char) -> bool {
    "-–—‐‑−_.…?¿!/\\*~#'\"`()[]{}<>|:;,".contains(character) || is_blank(character)
}

/// `#N/A`, `#REF!`, `#NAME?`, `#WERT!`: what a spreadsheet writes when a formula fails.
fn is_error_cell(text: &str) -> bool {
    let Some(name) = text.strip_prefix('#') else { return false };
    if matches!(name.to_uppercase().as_str(), "N/A" | "NA" | "NV" | "N/D" | "N/DISP" | "N/V") {
        return true;
    }
    name.strip_suffix(['!', '?']).is_some_and(|name| {
        !name.is_empty()
            && name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || "/¿¡_".contains(c))
    })
}

/// What stands between brackets of one kind around the whole text.
fn wrapped(text: &str) -> Option<&str> {
    [('(', ')'), ('<', '>'), ('[', ']'), ('{', '}')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

/// Small letters without blanks, underscores and dashes.
fn fold(text: &str) -> String {
    let kept = text.chars().filter(|c| !is_blank(*c) && !matches!(c, '_' | '-'));
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blanks_of_every_kind_are_taken_away() {
        for text in
            [" a b ", "\u{a0}a b\u{202f}", "\u{200b}a b\u{feff}\r\n", "=\"a b\"", "\u{200e}a b\t"]
        {
            assert_eq!(text_of(&json!(text)).as_deref(), Some("a b"), "{text:?}");
        }
        for text in ["", "\u{200b}", "=\"\"", " \u{2060}\u{a0}"] {
            assert_eq!(text_of(&json!(text)), None, "{text:?}");
        }
        assert_eq!(text_of(&json!(7.0)).as_deref(), Some("7"));
        assert_eq!(text_of(&json!(-0.0)).as_deref(), Some("0"));
        assert_eq!(text_of(&json!(u64::MAX)).as_deref(), Some("18446744073709551615"));
        assert_eq!(text_of(&json!(true)), None);
    }

    #[test]
    fn empty_words_are_known_in_every_field() {
        for text in [
            "NULL",
            "null",
            "\\N",
            "#N/A",
            "#REF!",
            "#NAME?",
            "#DIV/0!",
            "#NV",
            "#WERT!",
            "nan",
            "NaN",
            "None",
            "none",
            "(blank)",
            "(null)",
            "<null>",
            "[NULL]",
            "<NA>",
            "N/A",
            "n/a",
            "n.a.",
            "-",
            "--",
            "—",
            "?",
            "...",
            "undefined",
            "(not set)",
            "Not available",
            "NaT",
            "nil",
            " NULL ",
            "",
            "=\"\"",
            "\u{200b}",
            "<no value>",
            "(none)",
            "(empty)",
        ] {
            for holds in [Holds::Word, Holds::Place, Holds::Name] {
                assert!(is_empty_word(text, holds), "{text:?} {holds:?}");
            }
        }
    }

    #[test]
    fn what_may_be_a_name_or_a_place_is_kept_there() {
        for (text, word, place, name) in [
            ("Null", true, true, false),
            ("Nan", true, true, false),
            ("Nil", true, true, false),
            ("NA", true, false, false),
            ("Unknown", true, true, false),
            ("Noname GmbH", false, false, false),
            ("Nullmeyer", false, false, false),
            ("#1 Analytics", false, false, false),
            ("0", false, false, false),
            ("N", false, false, false),
            ("None of the above", false, false, false),
            ("+", false, false, false),
        ] {
            let found = [Holds::Word, Holds::Place, Holds::Name].map(|h| is_empty_word(text, h));
            assert_eq!(found, [word, place, name], "{text}");
        }
        assert_eq!(said(&json!("NULL"), Holds::of("industry")), None);
        assert_eq!(said(&json!("NA"), Holds::of("territory")).as_deref(), Some("NA"));
        assert_eq!(said(&json!("Null"), Holds::of("last_name")).as_deref(), Some("Null"));
    }
}
