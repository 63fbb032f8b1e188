//! A body to its records: a JSON array, one JSON object, or NDJSON.
//!
//! Bytes are cut into records before any is parsed, so that a broken one is refused alone.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Bytes of one record, as of one event.
pub const RECORD_LIMIT: usize = 32 * 1024;
/// Levels of nesting within a record.
const DEPTH_LIMIT: usize = 16;

/// A record where it stands in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// From 1: the line of an NDJSON body, the place in an array.
    pub number: usize,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Cuts a body into its records. Blank lines are none.
///
/// # Errors
/// When it is none of the three forms; says so.
pub fn split(body: &[u8]) -> Result<Vec<Line<'_>>, String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let whole = body.trim_ascii();
    match whole.first() {
        None => Err("The body is empty. Send a JSON array, a JSON object, or NDJSON.".to_owned()),
        Some(b'[') => array(whole),
        // One object, perhaps over several lines.
        Some(b'{') if serde_json::from_slice::<&RawValue>(whole).is_ok() => {
            let before = body.len().saturating_sub(body.trim_ascii_start().len());
            let ends = body.iter().take(before).filter(|byte| **byte == b'\n').count();
            Ok(vec![Line { number: ends.saturating_add(1), bytes: whole }])
        }
        Some(_) => by_lines(body),
    }
}

/// NDJSON, of which any line may be broken, the first as well: one object makes it that.
fn by_lines(body: &[u8]) -> Result<Vec<Line<'_>>, String> {
    let lines: Vec<Line<'_>> = body
        .split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(at, bytes)| Line { number: at.saturating_add(1), bytes: bytes.trim_ascii() })
        .filter(|line| !line.bytes.is_empty())
        .collect();
    if lines.iter().any(|line| line.bytes.starts_with(b"{")) {
        return Ok(lines);
    }
    Err("The body is neither a JSON array, nor a JSON object, nor NDJSON, in UTF-8.".to_owned())
}

/// The elements of an array, by its brackets, braces and strings alone.
fn array(body: &[u8]) -> Result<Vec<Line<'_>>, String> {
    let mut lines = Vec::new();
    let (mut depth, mut quoted, mut escaped, mut from) = (0_usize, false, false, 1_usize);
    for (at, byte) in body.iter().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth = depth.saturating_add(1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => {
                lines.push(body.get(from..at).unwrap_or_default().trim_ascii());
                from = at.saturating_add(1);
            }
            _ => {}
        }
        if depth == 0 {
            lines.push(body.get(from..at).unwrap_or_default().trim_ascii());
            if at.saturating_add(1) < body.len() {
                return Err("Something follows the end of the JSON array.".to_owned());
            }
            if lines.len() == 1 && lines.first().is_some_and(|line| line.is_empty()) {
                lines.clear();
            }
            let numbered = lines.into_iter().enumerate();
            return Ok(numbered
                .map(|(at, bytes)| Line { number: at.saturating_add(1), bytes })
                .collect());
        }
    }
    Err("The JSON array is cut off: its closing bracket is missing.".to_owned())
}

/// The members of a record.
///
/// # Errors
/// A code and what is wrong: `invalid_json`, `record_too_large`, `too_deep`.
pub fn members(bytes: &[u8]) -> Result<Map<String, Value>, (&'static str, String)> {
    if bytes.len() > RECORD_LIMIT {
        let text = format!(
            "The record has {} bytes, the limit is {RECORD_LIMIT}. Leave large texts out.",
            bytes.len()
        );
        return Err(("record_too_large", text));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| {
        ("invalid_json", "The record is not UTF-8. Send it in that encoding.".to_owned())
    })?;
    match serde_json::from_str(&with_long_integers_as_text(text)) {
        Ok(Value::Object(members)) => {
            if depth_of(members.values()) >= DEPTH_LIMIT {
                return Err((
                    "too_deep",
                    format!("The record is nested deeper than {DEPTH_LIMIT} levels. Flatten it."),
                ));
            }
            if text.contains("\\u0000")
                && members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
            {
                return Err((
                    "invalid_json",
                    "A text of the record holds a NUL character. Leave it out.".to_owned(),
                ));
            }
            Ok(members)
        }
        Ok(_) => Err(("invalid_json", "The record is no JSON object: write it as {…}.".to_owned())),
        Err(error) => Err(("invalid_json", format!("The record is no valid JSON: {error}."))),
    }
}

/// The same JSON with integers beyond 64 bits as texts, which keep all their digits: as numbers two ids
/// would become one.
fn with_long_integers_as_text(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    if !bytes.windows(19).any(|window| window.iter().all(is_digit)) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len().saturating_add(16));
    let (mut rest, mut quoted) = (json, false);
    while let Some(first) = rest.bytes().next() {
        let mut taken = 1;
        match first {
            b'\\' if quoted => taken = 2,
            b'"' => quoted = !quoted,
            b'-' | b'0'..=b'9' if !quoted => {
                let is_number =
                    |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
                let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
                let (number, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                let digits = number.strip_prefix('-').unwrap_or(number);
                let is_long = digits.len() > 18
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
                    && !digits.starts_with('0')
                    && number.parse::<i64>().is_err()
                    && number.parse::<u64>().is_err();
                if is_long && !after.trim_start().starts_with(':') {
                    out.extend(["\"", number, "\""]);
                } else {
                    out.push_str(number);
                }
                rest = after;
                continue;
            }
            _ => {
                let end = rest
                    .bytes()
                    .skip(1)
                    .position(|byte| {
                        matches!(byte, b'"' | b'\\')
                            || (!quoted && matches!(byte, b'-' | b'0'..=b'9'))
                    })
                    .map_or(rest.len(), |at| at.saturating_add(1));
                taken = end;
            }
        }
        // An escape before a character of several bytes is no JSON: the rest goes on as it is.
        let Some((now, after)) = rest.split_at_checked(taken) else { break };
        out.push_str(now);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn depth_of<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let below = |value: &Value| match value {
        Value::Array(items) => depth_of(items.iter()),
        Value::Object(members) => depth_of(members.values()),
        _ => 0,
    };
    values.map(below).max().unwrap_or(0).saturating_add(1)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(body: &str) -> Vec<(usize, String)> {
        let lines = split(body.as_bytes()).unwrap();
        lines
            .iter()
            .map(|line| (line.number, String::from_utf8_lossy(line.bytes).into_owned()))
            .collect()
    }

    #[test]
    fn three_forms_of_a_body() {
        assert_eq!(
            texts("\u{feff} [ {\"a\": \"],{\"} , {}, nonsense ] "),
            [(1, "{\"a\": \"],{\"}".to_owned()), (2, "{}".to_owned()), (3, "nonsense".to_owned())]
        );
        assert_eq!(texts("{\"a\":\n1}"), [(1, "{\"a\":\n1}".to_owned())]);
        assert_eq!(
            texts("{\"a\":1}\r\n\n{broken\n{}\n"),
            [(1, "{\"a\":1}".to_owned()), (3, "{broken".to_owned()), (4, "{}".to_owned())]
        );
        assert_eq!(
            texts("\n\r\nnull\n{}\noops"),
            [(3, "null".to_owned()), (4, "{}".to_owned()), (5, "oops".to_owned())],
            "the first line is a line like any other"
        );
        assert_eq!(
            texts("\u{feff}\n{\"a\":1}\n{}"),
            [(2, "{\"a\":1}".to_owned()), (3, "{}".to_owned())]
        );
        assert_eq!(texts("\n\n{\"a\":\n1}\n"), [(3, "{\"a\":\n1}".to_owned())]);
        assert_eq!(texts("[]"), []);
        for body in ["", " ", "[{}", "[{}] x", "x", "\u{0}", "7", "null\n7"] {
            assert!(split(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_record_is_refused_for_what_cannot_be_kept() {
        let code = |text: &str| members(text.as_bytes()).unwrap_err().0;
        assert_eq!(code("{\"a\": NaN}"), "invalid_json");
        assert_eq!(code("{\"a\": 1e400}"), "invalid_json");
        assert_eq!(code("{\"a\": \"\\ud800\"}"), "invalid_json");
        assert_eq!(code("{\"a\": {\"b\": \"x\\u0000\"}}"), "invalid_json");
        assert_eq!(code("[1]"), "invalid_json");
        assert_eq!(
            code(&format!("{{\"a\": \"{}\"}}", "x".repeat(RECORD_LIMIT))),
            "record_too_large"
        );
        assert_eq!(code(&format!("{{\"a\": {}1{}}}", "[".repeat(20), "]".repeat(20))), "too_deep");
        assert_eq!(members(b"{\"a\": \"\xff\"}").unwrap_err().0, "invalid_json");
        assert!(members("{\"a\": \"\\\\u0000\"}".as_bytes()).is_ok(), "a backslash, and no NUL");
    }

    #[test]
    fn integers_beyond_64_bits_keep_their_digits() {
        let text = "{\"a\": 123456789012345678901234, \"b\": [-98765432109876543210, 18446744073709551615], \"c\": \"x 123456789012345678901234 \\\"\", \"d\": 1.5e3, \"é\": 12345678901234567890.5}";
        let members = members(text.as_bytes()).unwrap();
        assert_eq!(members["a"], "123456789012345678901234");
        assert_eq!(members["b"][0], "-98765432109876543210");
        assert_eq!(members["b"][1], u64::MAX);
        assert_eq!(members["c"], "x 123456789012345678901234 \"");
        assert_eq!(members["d"], 1500.0);
        assert!(members["é"].is_f64());
        assert!(super::members(b"{123456789012345678901234: 1}").is_err());
        assert!(super::members(b"{\"a\": 0123456789012345678901234}").is_err());
    }

    proptest! {
        #[test]
        fn long_integers_as_text_change_nothing_else(text in "[\"\\\\0-9eé.,:{}\\[\\] -]{0,60}", number in any::<i128>()) {
            let short = with_long_integers_as_text(&text);
            if let (Ok(one), Ok(other)) = (serde_json::from_str::<Value>(&text), serde_json::from_str::<Value>(&short))
                && *short == text
            {
                prop_assert_eq!(one, other);
            }
            prop_assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), serde_json::from_str::<Value>(&short).is_ok());
            let json = format!("{{\"a\": {number}}}");
            let kept = members(json.as_bytes()).unwrap();
            prop_assert_eq!(crate::values::text::text_of(&kept["a"]), Some(number.to_string()));
        }

        #[test]
        fn cutting_never_panics_and_keeps_good_neighbours(
            bodies in prop::collection::vec("[^\\[\\]{},\"\\\\\n]{0,10}", 0..6), raw in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let _ = split(&raw);
            let mut body = String::from("[{\"good\":1}");
            for one in &bodies { body.push(','); body.push_str(one); }
            body.push_str(",{\"good\":2}]");
            let lines = split(body.as_bytes()).unwrap();
            prop_assert_eq!(lines.len(), bodies.len() + 2);
            prop_assert!(members(lines[0].bytes).is_ok() && members(lines[lines.len() - 1].bytes).is_ok());
        }
    }
}
