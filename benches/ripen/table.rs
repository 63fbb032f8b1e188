//! What is printed: a title, rows of measured figures, the machine.

use std::time::Duration;

pub struct Table(Vec<[String; 3]>);

impl Table {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// What was measured, the figure, what it is beside the raw limit.
    pub fn row(&mut self, what: &str, figure: impl Into<String>, beside: impl Into<String>) {
        self.0.push([what.to_owned(), figure.into(), beside.into()]);
    }

    pub fn print(&self, title: &str, machine: &str) {
        println!("\n{title}");
        let width =
            |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        for [what, figure, beside] in &self.0 {
            println!("  {what:<first$}  {figure:>second$}  {beside}");
        }
        println!("  {machine}");
    }
}

/// Events, or rows, in a second.
pub fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

pub fn per_second(count: u64, took: Duration) -> String {
    format!("{}/s", thousands(rate(count, took) as u64))
}

pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn ratio(part: f64, whole: f64) -> String {
    format!("{:.2}", part / whole.max(1e-9))
}

/// The value below which so many of a hundred lie.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(sorted.len() * percent / 100)
        .or_else(|| sorted.get(last))
        .copied()
        .unwrap_or_default()
}

pub fn millis(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}
