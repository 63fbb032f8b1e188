//! Values that are nearly JSON, made into JSON that serde_json and PostgreSQL accept.
//!
//! PostgreSQL's `text` and `jsonb` refuse U+0000 and lone surrogates, serde_json refuses numbers
//! beyond a double, and both refuse `NaN` (`spec/stack.md`, Poison).

use std::borrow::Cow;

use super::scan::escape;

/// Longer numbers are written anew; a 64-bit integer and any double fit.
const NUMBER_LIMIT: usize = 40;

/// The same value with U+0000 and lone surrogates as U+FFFD, and what is no finite number as null.
/// `raw` has passed the scanner.
pub fn json(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let rest = raw.get(at..).unwrap_or_default();
        let taken = match byte {
            b'\\' => {
                let (length, dirty) = escape(bytes, at).unwrap_or((1, false));
                out.push_str(if dirty {
                    "\\ufffd"
                } else {
                    rest.get(..length).unwrap_or_default()
                });
                length
            }
            b'"' => {
                quoted = !quoted;
                out.push('"');
                1
            }
            b'N' | b'I' | b'-' | b'0'..=b'9' if !quoted => {
                let end = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                let token = rest.get(..end).unwrap_or_default();
                out.push_str(&odd_number(token).unwrap_or(Cow::Borrowed(token)));
                end
            }
            _ => {
                let end = rest
                    .bytes()
                    .skip(1)
                    .position(|b| matches!(b, b'\\' | b'"' | b'N' | b'I' | b'-' | b'0'..=b'9'))
                    .map_or(rest.len(), |found| found.saturating_add(1));
                out.push_str(rest.get(..end).unwrap_or_default());
                end
            }
        };
        at = at.saturating_add(taken.max(1));
    }
    out
}

/// What must stand in the place of a number; none when it is fine as it is.
pub fn odd_number(raw: &str) -> Option<Cow<'static, str>> {
    let usual =
        raw.len() <= NUMBER_LIMIT && raw.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-'));
    if usual {
        return None;
    }
    let double = raw.parse::<f64>().ok().filter(|double| double.is_finite());
    match double {
        None => Some(Cow::Borrowed("null")),
        // `1e-99999` is a zero to serde and an error to PostgreSQL.
        Some(0.0) => Some(Cow::Borrowed("0")),
        Some(_) if raw.len() <= NUMBER_LIMIT => None,
        Some(double) => Some(Cow::Owned(format!("{double:e}"))),
    }
}

/// A number where a text is wanted (ids, names), as JavaScript prints it: `7`, `7.0` and `7e0` are
/// one id. Integers keep all their digits.
pub fn number_text(raw: &str) -> Option<Cow<'_, str>> {
    if raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Some(Cow::Borrowed(if raw == "-0" { "0" } else { raw }));
    }
    let double = raw.parse::<f64>().ok().filter(|double| double.is_finite())?;
    Some(Cow::Owned(if double == 0.0 { "0".to_owned() } else { double.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_is_replaced_and_everything_else_kept() {
        for (raw, clean) in [
            (r#"{"a":NaN,"b":[Infinity,-Infinity, 1]}"#, r#"{"a":null,"b":[null,null, 1]}"#),
            (r#"{"a":1e400,"b":-1e400000,"c":1e300}"#, r#"{"a":null,"b":null,"c":1e300}"#),
            (r#"{"a":1e-99999}"#, r#"{"a":0}"#),
            (r#""a\u0000b""#, r#""a\ufffdb""#),
            (r#""\ud800x\udc00\ud83d\ude80""#, r#""\ufffdx\ufffd\ud83d\ude80""#),
            (r#""\\u0000 NaN \" -1e999""#, r#""\\u0000 NaN \" -1e999""#),
            (r#"{"Nähe": "Ü1e999"}"#, r#"{"Nähe": "Ü1e999"}"#),
        ] {
            assert_eq!(json(raw), clean);
        }
    }

    #[test]
    fn long_numbers_become_doubles() {
        let long = format!("1{}", "0".repeat(60));
        assert_eq!(odd_number(&long).unwrap(), "1e60");
        assert_eq!(odd_number(&"9".repeat(400)).unwrap(), "null");
        assert_eq!(odd_number("12345678901234567890"), None);
        assert_eq!(odd_number("1.5e3"), None);
    }

    #[test]
    fn ids_that_are_numbers_read_as_javascript_prints_them() {
        for (raw, text) in
            [("7", "7"), ("-7", "-7"), ("7.0", "7"), ("7e0", "7"), ("1.5", "1.5"), ("-0.0", "0")]
        {
            assert_eq!(number_text(raw).unwrap(), text);
        }
        assert_eq!(number_text("12345678901234567890").unwrap(), "12345678901234567890");
        assert_eq!(number_text("1e999"), None);
    }
}
