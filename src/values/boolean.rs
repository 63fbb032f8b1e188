//! Yes or no.

use serde_json::Value;

use super::text::{text_of, trimmed, without_formula};

/// What a value says to a question; `None` when it says neither yes nor no.
#[must_use]
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(said) => Some(*said),
        other => of_text(&text_of(other)?),
    }
}

/// As [`boolean`], for a text. The words are those of JSON, SQL, forms, and of spreadsheets in English,
/// German, French, Spanish, Italian and Portuguese.
#[must_use]
pub fn of_text(text: &str) -> Option<bool> {
    match without_formula(trimmed(text)).to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "1.0" | "on" | "wahr" | "ja" | "vrai" | "oui"
        | "verdadero" | "si" | "sí" | "vero" | "sì" | "verdadeiro" | "sim" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "0.0" | "off" | "falsch" | "nein" | "faux" | "non"
        | "falso" | "não" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yes_and_no_in_every_usual_form() {
        for yes in [
            json!(true),
            json!(1),
            json!(1.0),
            json!("TRUE"),
            json!(" Yes\u{a0}"),
            json!("y"),
            json!("WAHR"),
            json!("on"),
            json!("=\"1\""),
        ] {
            assert_eq!(boolean(&yes), Some(true), "{yes}");
        }
        for no in [
            json!(false),
            json!(0),
            json!("False"),
            json!("NO"),
            json!("f"),
            json!("0"),
            json!("FALSCH"),
        ] {
            assert_eq!(boolean(&no), Some(false), "{no}");
        }
        for neither in [json!(null), json!(2), json!("perhaps"), json!(""), json!([true])] {
            assert_eq!(boolean(&neither), None, "{neither}");
        }
    }
}
