//! Numbers, with marks between their thousands.

use serde_json::Value;

use super::text::{is_blank, trimmed, without_formula};

/// Longer texts are no numbers.
const LONGEST: usize = 64;

/// Why a value is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing that reads as a number.
    NoNumber,
    /// A comma before the fraction: how it is written with a point.
    DecimalComma(String),
    /// `25.000` is 25 in one country and 25000 in another: how each is written.
    Ambiguous {
        /// With the point before the fraction.
        fraction: String,
        /// With the point between thousands.
        thousands: String,
    },
}

impl Fault {
    /// How to write it instead, as the end of a sentence that begins with the value. None when nothing
    /// better is known.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::NoNumber => None,
            Self::DecimalComma(with_point) => {
                Some(format!("has a comma before its fraction. Write {with_point}."))
            }
            Self::Ambiguous { fraction, thousands } => {
                Some(format!("can be read as {fraction} or as {thousands}. Write one of them."))
            }
        }
    }
}

/// A finite number, or a text that reads as one: `1200`, `1,200.50`, `1 200`, `1'200`, `1.200.000`,
/// `1e4`, digits of any script. Commas, blanks, apostrophes, underscores and several points part
/// thousands, in groups of three; one point stands before a fraction.
///
/// # Errors
/// When a text is no number, or can be read as two.
pub fn number(value: &Value) -> Result<f64, Fault> {
    let read = match value {
        Value::Number(number) => number.as_f64().ok_or(Fault::NoNumber)?,
        Value::String(text) => of_text(text)?,
        _ => return Err(Fault::NoNumber),
    };
    if read.is_finite() { Ok(read) } else { Err(Fault::NoNumber) }
}

/// As [`number`], for a text.
///
/// # Errors
/// As [`number`].
pub fn of_text(text: &str) -> Result<f64, Fault> {
    let text = plain(text).ok_or(Fault::NoNumber)?;
    let digits = decimal(&text)?;
    digits.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(Fault::NoNumber)
}

/// The text in ASCII: digits of every script, one kind of blank, apostrophe and dash; without blanks
/// around it and a spreadsheet's marks of text.
pub(super) fn plain(text: &str) -> Option<String> {
    let text = without_formula(trimmed(text));
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let text = text.strip_prefix('\'').unwrap_or(text);
    Some(text.chars().filter(|c| !is_blank(*c) || c.is_whitespace()).map(ascii).collect())
}

fn ascii(character: char) -> char {
    /// The zeros of scripts whose ten digits stand in a row.
    const ZEROS: [char; 6] = ['０', '٠', '۰', '०', '০', '๐'];
    let digit = ZEROS.iter().find_map(|zero| {
        let place =
            u32::from(character).checked_sub(u32::from(*zero)).filter(|place| *place < 10)?;
        char::from_digit(place, 10)
    });
    match character {
        _ if digit.is_some() => digit.unwrap_or(character),
        '．' | '٫' => '.',
        '，' | '٬' => ',',
        '’' | '‘' | 'ʼ' | '＇' | '′' | '`' => '\'',
        '−' | '－' | '‐' | '‑' | '–' | '—' | '―' => '-',
        '＋' => '+',
        '＞' => '>',
        '～' | '∼' | '〜' => '~',
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
            u32::from(character).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(character)
        }
        _ if character.is_whitespace() => ' ',
        _ => character,
    }
}

/// The number's text as Rust parses it.
pub(super) fn decimal(text: &str) -> Result<String, Fault> {
    let (sign, rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) if text.starts_with('-') => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let Some(exponent) = exponent else {
        return Ok(format!("{sign}{}", mantissa_of(mantissa, sign)?));
    };
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    // With an exponent nothing parts thousands.
    if !is_digits(power) || power.len() > 3 || !is_plain_decimal(mantissa) {
        return Err(Fault::NoNumber);
    }
    Ok(format!("{sign}{mantissa}e{exponent}"))
}

fn mantissa_of(text: &str, sign: &str) -> Result<String, Fault> {
    let points = text.matches('.').count();
    let commas = text.matches(',').count();
    let other = [' ', '\'', '_'].into_iter().find(|mark| text.contains(*mark));
    match (points, commas, other) {
        (0, 0, None) if is_digits(text) => Ok(text.to_owned()),
        (1, 0, None) => {
            if !is_plain_decimal(text) {
                return Err(Fault::NoNumber);
            }
            match ungrouped(text, '.') {
                Some(thousands) => Err(Fault::Ambiguous {
                    fraction: format!("{sign}{}", without_zeros(text)),
                    thousands: format!("{sign}{thousands}"),
                }),
                None => Ok(text.to_owned()),
            }
        }
        (2.., 0, None) => ungrouped(text, '.').ok_or(Fault::NoNumber),
        (0, _, None) => match ungrouped(text, ',') {
            Some(whole) => Ok(whole),
            None => Err(decimal_comma(text, None, sign)),
        },
        (_, 1, None) if text.rfind(',') > text.rfind('.') => {
            Err(decimal_comma(text, Some('.'), sign))
        }
        (1, _, None) => with_fraction(text, ','),
        (0, 1, Some(mark)) => Err(decimal_comma(text, Some(mark), sign)),
        (0, 0, Some(mark)) => ungrouped(text, mark).ok_or(Fault::NoNumber),
        (1, 0, Some(mark)) => with_fraction(text, mark),
        _ => Err(Fault::NoNumber),
    }
}

/// `1,200.50` where the mark is a comma.
fn with_fraction(text: &str, mark: char) -> Result<String, Fault> {
    let (whole, fraction) = text.split_once('.').ok_or(Fault::NoNumber)?;
    let whole = ungrouped(whole, mark).ok_or(Fault::NoNumber)?;
    if is_digits(fraction) { Ok(format!("{whole}.{fraction}")) } else { Err(Fault::NoNumber) }
}

/// What `49,90` or `1.234,50` is called, if it is a number at all.
fn decimal_comma(text: &str, mark: Option<char>, sign: &str) -> Fault {
    let read = || {
        let (whole, fraction) = text.split_once(',')?;
        let whole = match mark {
            Some(mark) => ungrouped(whole, mark)?,
            None if whole.is_empty() => "0".to_owned(),
            None => whole.to_owned(),
        };
        (is_digits(&whole) && is_digits(fraction)).then(|| format!("{sign}{whole}.{fraction}"))
    };
    read().map_or(Fault::NoNumber, Fault::DecimalComma)
}

/// A whole number without the marks that part its thousands; none when they stand elsewhere, or when
/// there is none.
fn ungrouped(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark);
    let first = groups.next()?;
    let mut rest = groups.peekable();
    rest.peek()?;
    let is_grouped = (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && rest.all(|group| group.len() == 3 && is_digits(group));
    is_grouped.then(|| text.replace(mark, ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `12`, `1.5`, `.5`, `5.`.
fn is_plain_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    (is_digits(whole) || is_digits(fraction))
        && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `25.000` as `25`, `25.100` as `25.1`.
fn without_zeros(text: &str) -> &str {
    text.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thousands_are_parted_in_every_usual_way() {
        for (text, read) in [
            ("1200", 1200.0),
            ("1,200", 1200.0),
            (" 1,234,567.89 ", 1_234_567.89),
            ("1 200", 1200.0),
            ("1\u{a0}200\u{a0}000", 1_200_000.0),
            ("1\u{202f}200", 1200.0),
            ("1\u{2009}200,", f64::NAN),
            ("1'200", 1200.0),
            ("1’200.50", 1200.5),
            ("1_200", 1200.0),
            ("1.200.000", 1_200_000.0),
            ("-1,200", -1200.0),
            ("−5", -5.0),
            ("+49", 49.0),
            ("49.90", 49.9),
            ("25.0", 25.0),
            ("0.125", 0.125),
            ("12.3456", 12.3456),
            ("1234.567", 1234.567),
            ("1e4", 10_000.0),
            ("1.2E+04", 12_000.0),
            ("1.234e3", 1234.0),
            (".5", 0.5),
            ("１０００", 1000.0),
            ("１，０００", 1000.0),
            ("١٬٢٠٠", 1200.0),
            ("=\"1200\"", 1200.0),
            ("'1200", 1200.0),
            ("\u{200b}7\u{200b}", 7.0),
        ] {
            if read.is_nan() {
                assert!(of_text(text).is_err(), "{text}");
            } else {
                assert_eq!(of_text(text), Ok(read), "{text}");
            }
        }
        assert_eq!(number(&json!(25.000)), Ok(25.0));
    }

    #[test]
    fn what_can_be_two_numbers_is_none_and_says_how_to_write_it() {
        for (text, advice) in [
            ("25.000", "can be read as 25 or as 25000. Write one of them."),
            ("1.234", "can be read as 1.234 or as 1234. Write one of them."),
            ("-1.500", "can be read as -1.5 or as -1500. Write one of them."),
            ("49,90", "has a comma before its fraction. Write 49.90."),
            ("0,125", "has a comma before its fraction. Write 0.125."),
            ("1.234,50", "has a comma before its fraction. Write 1234.50."),
            ("1 234,5", "has a comma before its fraction. Write 1234.5."),
            ("1'234,50", "has a comma before its fraction. Write 1234.50."),
        ] {
            let advised = of_text(text).unwrap_err().advice();
            assert_eq!(advised.as_deref(), Some(advice), "{text}");
        }
    }

    #[test]
    fn everything_else_is_no_number() {
        for text in [
            "",
            "-",
            "many",
            "inf",
            "NaN",
            "0x10",
            "1,23,456",
            "1 23",
            "12 34 567",
            "1,200.5,0",
            "1_200,000x",
            "1,200e3",
            "1.2.3",
            "1e",
            "e4",
            "1e9999",
            "1 200 ' 000",
            "1--2",
            "10-50",
            "10K",
            "12:30",
            "1,200 300",
        ] {
            assert!(of_text(text).is_err(), "{text}");
        }
        for value in [json!(null), json!(true), json!([1]), json!({"a": 1})] {
            assert_eq!(number(&value), Err(Fault::NoNumber), "{value}");
        }
    }
}
