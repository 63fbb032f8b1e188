//! How many people a company has: a number, or a range of which the lower end counts.

use serde_json::Value;

use super::number::{self, Fault, decimal, plain};

/// What stands in front of a number and leaves it as it is.
const BEFORE: [&str; 20] = [
    "approximately",
    "approx.",
    "approx",
    "about",
    "around",
    "at least",
    "more than",
    "over",
    "circa",
    "ca.",
    "ca",
    "some",
    "from",
    "min.",
    "min",
    ">=",
    ">",
    "≥",
    "~",
    "≈",
];
/// What may follow: nothing, or a word about who is counted.
const TO: [&str; 7] = ["-", "to", "bis", "à", "..", "…", "and"];

/// A head count: `250`, `1,000+`, `201-500`, `51 to 200`, `10K-50K`, `1.5M`, `> 1000`, `~500`,
/// `1.000` (a thousand: nobody counts people in fractions). Of a range the lower end.
///
/// # Errors
/// When it is no such thing, and when `10-50K` leaves open what its first number is.
pub fn head_count(value: &Value) -> Result<i32, Fault> {
    let count = match value {
        Value::Number(number) => number.as_f64().ok_or(Fault::NoNumber)?,
        Value::String(text) => of_text(&plain(text).ok_or(Fault::NoNumber)?.to_lowercase())?,
        _ => return Err(Fault::NoNumber),
    };
    whole(count).ok_or(Fault::NoNumber)
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "whole and within the bounds of i32"
)]
fn whole(count: f64) -> Option<i32> {
    (count.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&count)).then_some(count as i32)
}

fn of_text(text: &str) -> Result<f64, Fault> {
    let mut text = text;
    while let Some(rest) = BEFORE.iter().find_map(|word| text.strip_prefix(word)) {
        text = rest.trim_start();
    }
    let (low, behind) = first(text)?;
    let rest = behind.trim_start();
    let Some(after) = TO.iter().find_map(|word| rest.strip_prefix(word)) else {
        return if is_remark(behind) { Ok(low.count) } else { Err(Fault::NoNumber) };
    };
    let (high, rest) = first(after.trim_start())?;
    if !is_remark(rest) || high.count < low.count {
        return Err(Fault::NoNumber);
    }
    if high.is_scaled && !low.is_scaled && low.count > 0.0 {
        return Err(Fault::NoNumber);
    }
    Ok(low.count)
}

/// What may stand behind the last number: `+`, words after a blank, never more digits or a unit.
fn is_remark(rest: &str) -> bool {
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    let words = rest.trim_start();
    words.is_empty()
        || words.starts_with([',', '(', ';'])
        || (words.len() < rest.len() && words.starts_with(char::is_alphabetic))
}

struct Read {
    count: f64,
    is_scaled: bool,
}

/// The number with which a text begins, and what follows it.
fn first(text: &str) -> Result<(Read, &str), Fault> {
    let end = text
        .char_indices()
        .find(|(_, c)| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '\'' | '_' | ' '))
        .map_or(text.len(), |(at, _)| at);
    // `1e4`, as a spreadsheet writes it.
    let end = exponent_end(text, end).unwrap_or(end);
    let (digits, rest) = text.split_at_checked(end).ok_or(Fault::NoNumber)?;
    // Marks behind the last digit are part of the sentence.
    let digits = digits.trim_end_matches(['.', ',', '\'', '_', ' ']);
    let rest = text.get(digits.len()..).unwrap_or(rest);
    let (times, after) = scale(rest);
    let count = match decimal(digits) {
        Ok(plain) => plain.parse::<f64>().map_err(|_| Fault::NoNumber)?,
        Err(Fault::Ambiguous { thousands, .. }) if times.is_none() => {
            thousands.parse::<f64>().map_err(|_| Fault::NoNumber)?
        }
        // `1,5M` has no other meaning.
        Err(Fault::DecimalComma(with_point)) if times.is_some() => {
            with_point.parse::<f64>().map_err(|_| Fault::NoNumber)?
        }
        Err(fault) => return Err(fault),
    };
    // `1,500K` is a million and a half, or fifteen hundred.
    if times.is_some()
        && digits.contains(',')
        && !digits.contains('.')
        && number::of_text(digits).is_ok()
    {
        return Err(Fault::NoNumber);
    }
    let scaled = (count * times.unwrap_or(1.0)).round();
    let count = if times.is_some() { scaled } else { count };
    Ok((Read { count, is_scaled: times.is_some() }, after))
}

fn exponent_end(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?.strip_prefix('e')?;
    let digits = rest.strip_prefix('+').unwrap_or(rest);
    let many = digits.bytes().take_while(u8::is_ascii_digit).count();
    let signs = rest.len().saturating_sub(digits.len());
    (many > 0 && end > 0).then(|| end.saturating_add(1).saturating_add(signs).saturating_add(many))
}

/// The word for thousands or millions with which a text begins, and what follows it.
fn scale(text: &str) -> (Option<f64>, &str) {
    const WORDS: [(&str, f64); 15] = [
        ("thousand", 1e3),
        ("tausend", 1e3),
        ("tsd.", 1e3),
        ("tsd", 1e3),
        ("mille", 1e3),
        ("mil", 1e3),
        ("k", 1e3),
        ("millions", 1e6),
        ("million", 1e6),
        ("mio.", 1e6),
        ("mio", 1e6),
        ("mln", 1e6),
        ("mm", 1e6),
        ("mn", 1e6),
        ("m", 1e6),
    ];
    let rest = text.trim_start();
    let found = WORDS.iter().find_map(|(word, times)| {
        let after = rest.strip_prefix(word)?;
        (!after.starts_with(char::is_alphanumeric)).then_some((Some(*times), after))
    });
    found.unwrap_or((None, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_head_count_is_the_lower_end_in_thousands_where_it_says_so() {
        for (said, count) in [
            (json!(250), 250),
            (json!(250.0), 250),
            (json!("250"), 250),
            (json!("250.0"), 250),
            (json!("250 employees"), 250),
            (json!("1,000+"), 1000),
            (json!("1.000"), 1000),
            (json!("1 000"), 1000),
            (json!("1\u{a0}000"), 1000),
            (json!("1\u{202f}000"), 1000),
            (json!("1'000"), 1000),
            (json!("1’000+"), 1000),
            (json!("１０００"), 1000),
            (json!("1.000.000"), 1_000_000),
            (json!("1e4"), 10_000),
            (json!("1.2E+04"), 12_000),
            (json!("10K"), 10_000),
            (json!("10k+"), 10_000),
            (json!("100K+"), 100_000),
            (json!("10K-50K"), 10_000),
            (json!("10k – 50k"), 10_000),
            (json!("10 000 - 50 000"), 10_000),
            (json!("1.000-5.000"), 1000),
            (json!("1.5M"), 1_500_000),
            (json!("1,5M"), 1_500_000),
            (json!("1,5 Mio."), 1_500_000),
            (json!("2 thousand"), 2000),
            (json!("5 Tsd."), 5000),
            (json!("50-200"), 50),
            (json!("201–500"), 201),
            (json!("51 to 200"), 51),
            (json!("51 bis 200 Mitarbeiter"), 51),
            (json!("0-1"), 0),
            (json!("> 1000"), 1000),
            (json!(">1,000"), 1000),
            (json!("~500"), 500),
            (json!("≈ 500"), 500),
            (json!("approx. 2.500"), 2500),
            (json!("more than 10,000 people"), 10_000),
            (json!("about 1,200, in 3 offices"), 1200),
            (json!("2,500 (2025)"), 2500),
        ] {
            assert_eq!(head_count(&said), Ok(count), "{said}");
        }
    }

    #[test]
    fn what_is_no_count_or_two_is_none() {
        for said in [
            json!("1,5"),
            json!("12,5"),
            json!("many"),
            json!("-5"),
            json!(-5),
            json!(2.5),
            json!("2.5"),
            json!("< 50"),
            json!("up to 50"),
            json!("10-50K"),
            json!("1,500K"),
            json!("1.500K"),
            json!("10-Jan"),
            json!("Oct-50"),
            json!("2026-11-20"),
            json!("500-200"),
            json!("10/50"),
            json!("1-10-50"),
            json!("99999999999"),
            json!("10 50"),
            json!(true),
            json!(null),
            json!([250]),
            json!("1-"),
            json!("5e"),
            json!("0.5"),
            json!("#N/A"),
            json!("3rd2"),
        ] {
            assert!(head_count(&said).is_err(), "{said} {:?}", head_count(&said));
        }
    }
}
