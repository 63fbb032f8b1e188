//! Currencies.

use serde_json::Value;

use super::text::text_of;

/// The code by ISO 4217 in small letters; `€` and `£` name one currency each, `$` and `¥` several and
/// therefore none.
#[must_use]
pub fn currency(value: &Value) -> Option<String> {
    let code = match text_of(value)?.as_str() {
        "€" => "eur".to_owned(),
        "£" => "gbp".to_owned(),
        text => text.to_lowercase(),
    };
    let is_code = code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_lowercase());
    (is_code && !matches!(code.as_str(), "nan" | "nil")).then_some(code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_in_any_case_and_the_two_plain_signs() {
        for (text, code) in [
            ("EUR", Some("eur")),
            (" usd\u{a0}", Some("usd")),
            ("€", Some("eur")),
            ("£", Some("gbp")),
            ("$", None),
            ("Euro", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(currency(&json!(text)).as_deref(), code, "{text}");
        }
    }
}
