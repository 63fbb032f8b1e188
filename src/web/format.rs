//! How numbers and times are written for people. Pure: the zone and the time are arguments.
//!
//! Scores and points come in hundredths, money in minor units. Minus is the true sign (U+2212), so
//! that columns of signed numbers line up.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::error::FieldErrors;

/// A number as a template hands it over: plain, or behind any number of references.
pub trait Plain<T> {
    /// The number itself.
    fn plain(&self) -> T;
}

impl Plain<i32> for i32 {
    fn plain(&self) -> i32 {
        *self
    }
}

impl Plain<u32> for u32 {
    fn plain(&self) -> u32 {
        *self
    }
}

impl Plain<i64> for i64 {
    fn plain(&self) -> i64 {
        *self
    }
}

impl<T, P: Plain<T> + ?Sized> Plain<T> for &P {
    fn plain(&self) -> T {
        (**self).plain()
    }
}

/// A score as lists show it: whole points, rounded down, so that 79.99 never reads 80.
#[must_use]
pub fn score(hundredths: impl Plain<i32>) -> String {
    grouped(i64::from(hundredths.plain().div_euclid(100)))
}

/// Points with one decimal, rounded half away from zero: `21.6`, `−3.2`.
#[must_use]
pub fn points(hundredths: impl Plain<i32>) -> String {
    tenths(hundredths.plain(), "")
}

/// Points with their sign: `+13.0`, `−3.1`, `0.0`.
#[must_use]
pub fn signed(hundredths: impl Plain<i32>) -> String {
    tenths(hundredths.plain(), "+")
}

/// The points of a maximum, without a decimal where it has none: `25`, `12.5`.
#[must_use]
pub fn limit(hundredths: impl Plain<i32>) -> String {
    let hundredths = hundredths.plain();
    if hundredths % 100 == 0 { score(hundredths) } else { points(hundredths) }
}

/// `up` for points won, `down` for points lost, nothing for none: a class of the style sheet.
#[must_use]
pub fn direction(hundredths: impl Plain<i32>) -> &'static str {
    match hundredths.plain() {
        1.. => "up",
        0 => "",
        _ => "down",
    }
}

fn tenths(hundredths: i32, plus: &str) -> String {
    let size = (i64::from(hundredths).abs() + 5) / 10;
    let text = format!("{}.{}", grouped(size / 10), size % 10);
    match hundredths.signum() {
        _ if size == 0 => text,
        -1 => format!("\u{2212}{text}"),
        _ => format!("{plus}{text}"),
    }
}

/// A whole number in groups of three: `1,284`.
#[must_use]
pub fn grouped(number: impl Plain<i64>) -> String {
    let number = number.plain();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('\u{2212}');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 workspace`, `1,284 workspaces`, `no workspaces`.
#[must_use]
pub fn count(number: impl Plain<i64>, one: &str, many: &str) -> String {
    let number = number.plain();
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(number)),
    }
}

/// Beyond it a number at a glance is "99+": nobody acts differently on 100 and on 10,000, and who
/// counts may stop there.
pub const GLANCE: u32 = 99;

/// A number beside the navigation: empty for zero, "99+" beyond [`GLANCE`].
#[must_use]
pub fn at_a_glance(number: impl Plain<u32>) -> String {
    match number.plain() {
        0 => String::new(),
        some if some > GLANCE => format!("{GLANCE}+"),
        some => some.to_string(),
    }
}

/// How many decimals amounts of a currency have, as Stripe counts minor units: krónur and shillings
/// of Uganda are sent in hundredths although nobody has them.
#[must_use]
pub fn decimals(currency: &str) -> u32 {
    match currency.to_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Money in the minor units of its ISO 4217 currency: `$1,200`, `€12.50`, `¥900`, `CHF 40`.
#[must_use]
pub fn money(minor: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let unit = 10_i64.pow(decimals);
    let decimals = usize::try_from(decimals).unwrap_or_default();
    let size = minor.saturating_abs();
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    let symbol = match currency {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "JPY" => "¥".to_owned(),
        "INR" => "₹".to_owned(),
        other => format!("{other}\u{a0}"),
    };
    let whole = grouped(size / unit);
    if size % unit == 0 {
        format!("{sign}{symbol}{whole}")
    } else {
        format!("{sign}{symbol}{whole}.{:0decimals$}", size % unit)
    }
}

/// A size as disks are sold: `0 B`, `340 kB`, `12 MB`, `1.4 GB`.
#[must_use]
pub fn bytes(size: i64) -> String {
    let mut rest = size.max(0);
    let mut tenths = 0;
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if rest < 1_000 {
            break;
        }
        (tenths, rest) = (rest % 1_000 / 100, rest / 1_000);
        unit = next;
    }
    if rest < 10 && tenths > 0 {
        format!("{rest}.{tenths} {unit}")
    } else {
        format!("{rest} {unit}")
    }
}

/// A moment in full: `20 Nov 2026, 14:03 UTC`, with the zone's own short name.
#[must_use]
pub fn absolute(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %H:%M %Z").to_string()
}

/// A day: `17 Nov` in the year of `today`, else `17 Nov 2025`.
#[must_use]
pub fn day(date: NaiveDate, today: NaiveDate) -> String {
    let pattern = if date.year() == today.year() { "%-d %b" } else { "%-d %b %Y" };
    date.format(pattern).to_string()
}

/// A moment as people say it, in days of their zone: `just now`, `3 min ago`, `2 h ago`,
/// `yesterday 16:40`, `5 days ago`, `17 Nov`; ahead `in 20 min`, `in 3 h`, `tomorrow 09:00`, `in 4 days`.
#[must_use]
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let days = local.date_naive().signed_duration_since(today).num_days();
    let gap = at.signed_duration_since(now);
    let minutes = gap.num_minutes().abs();
    let span = match minutes {
        0..=59 => format!("{minutes} min"),
        _ => format!("{} h", minutes / 60),
    };
    match days {
        _ if gap.abs() < TimeDelta::minutes(1) => "just now".to_owned(),
        0 if gap < TimeDelta::zero() => format!("{span} ago"),
        0 => format!("in {span}"),
        -1 if minutes < 60 => format!("{span} ago"),
        1 if minutes < 60 => format!("in {span}"),
        -1 => format!("yesterday {}", local.format("%H:%M")),
        1 => format!("tomorrow {}", local.format("%H:%M")),
        -6..=-2 => format!("{} days ago", -days),
        2..=6 => format!("in {days} days"),
        _ => day(local.date_naive(), today),
    }
}

/// A moment for `<time>`: the macro `ui::time` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For machines, in UTC.
    pub iso: String,
    /// In full, in the viewer's zone.
    pub title: String,
    /// As people say it.
    pub text: String,
}

/// A moment for `<time>`.
#[must_use]
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Moment {
    Moment {
        iso: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        title: absolute(at, zone),
        text: relative(at, now, zone),
    }
}

/// A change of score, as the macro `ui::delta` shows it: never by colour alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `up`, `down` or `none`.
    pub direction: &'static str,
    /// A triangle, or a dash.
    pub glyph: &'static str,
    /// The same for those who do not see it.
    pub word: &'static str,
    /// Whole points without a sign; empty for none.
    pub points: String,
}

impl Change {
    /// The change of so many hundredths, rounded towards zero to whole points.
    #[must_use]
    pub fn of(hundredths: impl Plain<i32>) -> Self {
        let whole = hundredths.plain() / 100;
        let (direction, glyph, word) = match whole {
            1.. => ("up", "▲", "up"),
            0 => ("none", "–", "unchanged"),
            _ => ("down", "▼", "down"),
        };
        let points = if whole == 0 { String::new() } else { grouped(i64::from(whole).abs()) };
        Self { direction, glyph, word, points }
    }
}

/// Where a head that sorts stands, and where its link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The value of `aria-sort`, on the one column that is sorted.
    pub aria: Option<&'static str>,
    /// An arrow, or nothing.
    pub glyph: &'static str,
    /// The sort that the link asks for.
    pub next: String,
}

impl Order {
    /// `sort` is the current one (`score` or `-score`), `key` the column, `first` the direction a
    /// column begins with: `""` for low to high, `"-"` for high to low.
    #[must_use]
    pub fn of(sort: &str, key: &str, first: &str) -> Self {
        let falling = sort.strip_prefix('-');
        if sort == key {
            Self { aria: Some("ascending"), glyph: "↑", next: format!("-{key}") }
        } else if falling == Some(key) {
            Self { aria: Some("descending"), glyph: "↓", next: key.to_owned() }
        } else {
            Self { aria: None, glyph: "", next: format!("{first}{key}") }
        }
    }
}

/// The first letters of the first and last word of a name; `?` for a name without letters.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut letters =
        name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let text: String = letters.next().into_iter().chain(letters.next_back()).collect();
    if text.is_empty() { "?".to_owned() } else { text.to_uppercase() }
}

/// The messages at one field as one text; empty where the field is in order.
#[must_use]
pub fn messages(errors: &FieldErrors, field: &str) -> String {
    errors.get(field).map(|messages| messages.join(" ")).unwrap_or_default()
}

/// A text as a template hands it over, however many references deep.
#[must_use]
pub fn text<T: AsRef<str> + ?Sized>(text: &T) -> &str {
    text.as_ref()
}

/// Whether two texts are equal; templates compare through it, however many references deep.
#[must_use]
pub fn same(left: impl AsRef<str>, right: impl AsRef<str>) -> bool {
    left.as_ref() == right.as_ref()
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
