//! How long to wait after failed sign-ins.
//!
//! A browser in which the member signed in lately is known by its device cookie: its failures are counted
//! apart, and nobody else's slow it down. Failures of unknown browsers are counted under three subjects:
//! the account, the address, and the pair of both. The first few are free; then each doubles the wait, up
//! to seconds rather than minutes: many guesses at one account slow each address that guesses at it, but
//! never the first attempt from a new one, so that strangers cannot lock its owner out.
//!
//! An account that does not exist is counted in the same way.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::web::token;

/// Attempts older than this no longer count.
pub const WINDOW: TimeDelta = TimeDelta::hours(1);
/// How long a browser stays known after a sign-in from it.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// Failures that cost nothing: typing errors.
const FREE: u32 = 5;
/// Longest wait of a known browser, in seconds: its bucket is its own, so it can be slow.
const LONGEST_KNOWN: u32 = 900;
/// Longest wait of an unknown browser that tries the same account again, in seconds.
const LONGEST_PAIR: u32 = 30;
/// Many people share one office address, so it gets more room and a shorter wait.
const FREE_PER_ADDRESS: u32 = 20;
const LONGEST_ADDRESS: u32 = 15;
/// After so many failures from anywhere, each address waits the longest time between its attempts.
const FREE_PER_ACCOUNT: u32 = 10;

/// What attempts are counted under. The account is hashed: the table names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// The account, wherever from.
    pub account: String,
    /// The address, whoever for.
    pub address: String,
    /// This account from this address.
    pub pair: String,
    /// This account from a known browser; counted alone where it is.
    pub device: Option<String>,
}

impl Subjects {
    /// The same, for a browser known by this hash of its token.
    #[must_use]
    pub fn from_device(self, token_hash: &[u8]) -> Self {
        let device = format!("device:{}:{}", self.account, hex::encode(token_hash));
        Self { device: Some(device), ..self }
    }

    /// Those under which an attempt is counted.
    #[must_use]
    pub fn counted(&self) -> Vec<&str> {
        match &self.device {
            Some(device) => vec![device],
            None => vec![&self.account, &self.address, &self.pair],
        }
    }
}

/// The subjects of one attempt. `email` as typed, `address` as seen.
#[must_use]
pub fn subjects(email: &str, address: &str) -> Subjects {
    let email = token::derived(&email.trim().to_lowercase(), "sign-in");
    let address = network(address);
    Subjects {
        account: format!("account:{email}"),
        pair: format!("pair:{email}:{address}"),
        address: format!("address:{address}"),
        device: None,
    }
}

/// The part of an address that one customer line holds: IPv4 whole, IPv6 its /64.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V6(v6)) => v6.to_canonical().to_string(),
        Ok(IpAddr::V4(v4)) => v4.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Attempts under one subject within [`WINDOW`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub failures: u32,
    /// The latest one.
    pub last: Option<DateTime<Utc>>,
}

/// Attempts of one account and address within [`WINDOW`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For the account from unknown browsers anywhere.
    pub account: Count,
    /// For anybody from the address.
    pub address: Count,
    /// For the account from the address.
    pub pair: Count,
}

/// Seconds until an unknown browser's next attempt is taken; `None` if it is taken now.
#[must_use]
pub fn wait(counts: &Counts, now: DateTime<Utc>) -> Option<u32> {
    // From the pair's own last attempt: whoever comes from a new address is heard once at once.
    let free = if counts.account.failures < FREE_PER_ACCOUNT { FREE } else { 1 };
    let pause = match counts.account.failures {
        0..FREE_PER_ACCOUNT => doubled(counts.pair, free, LONGEST_PAIR),
        _ => LONGEST_PAIR,
    };
    let pair = remaining(counts.pair, free, pause, now);
    let pause = doubled(counts.address, FREE_PER_ADDRESS, LONGEST_ADDRESS);
    pair.max(remaining(counts.address, FREE_PER_ADDRESS, pause, now))
}

/// Seconds until a known browser's next attempt is taken.
#[must_use]
pub fn wait_of_known(device: Count, now: DateTime<Utc>) -> Option<u32> {
    remaining(device, FREE, doubled(device, FREE, LONGEST_KNOWN), now)
}

fn doubled(count: Count, free: u32, longest: u32) -> u32 {
    let beyond = count.failures.saturating_sub(free);
    2_u32.checked_pow(beyond).unwrap_or(longest).min(longest)
}

fn remaining(count: Count, free: u32, pause: u32, now: DateTime<Utc>) -> Option<u32> {
    if count.failures < free {
        return None;
    }
    let until = count.last? + TimeDelta::seconds(i64::from(pause));
    let left = (until - now).num_milliseconds();
    if left <= 0 { None } else { u32::try_from(left.div_euclid(1000) + 1).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn count(failures: u32) -> Count {
        Count { failures, last: Some(at(1000)) }
    }

    #[test]
    fn the_first_five_are_free_then_the_wait_doubles() {
        let after =
            |n| wait(&Counts { pair: count(n), ..Counts::default() }, at(1000)).unwrap_or(0);
        assert_eq!(after(4), 0);
        assert_eq!([5, 6, 7, 8].map(after), [2, 3, 5, 9]);
        assert_eq!([11, 20, 200].map(after), [31, 31, 31]);
        let late = Counts { pair: count(6), ..Counts::default() };
        assert_eq!(wait(&late, at(1002)), None);
    }

    #[test]
    fn a_known_browser_waits_for_its_own_failures_only_and_longer() {
        let after = |n| wait_of_known(count(n), at(1000)).unwrap_or(0);
        assert_eq!([0, 4, 5, 7, 10, 20, 200].map(after), [0, 0, 2, 5, 33, 901, 901]);
    }

    #[test]
    fn strangers_do_not_keep_a_new_address_out() {
        let guessed = Counts { account: count(5000), ..Counts::default() };
        assert_eq!(wait(&guessed, at(1000)), None, "the owner somewhere new");
        let again = Counts { pair: count(1), ..guessed };
        assert_eq!(wait(&again, at(1000)), Some(31), "many addresses don't help to guess faster");
        assert_eq!(wait(&again, at(1030)), None);
    }

    #[test]
    fn an_office_gets_more_room_and_waits_a_quarter_of_a_minute_at_most() {
        let office = |n| wait(&Counts { address: count(n), ..Counts::default() }, at(1000));
        assert_eq!(office(19), None);
        assert_eq!(office(21), Some(3));
        assert_eq!(office(2000), Some(16));
    }

    #[test]
    fn a_known_browser_is_counted_apart() {
        let subjects = subjects("mara@northwind.example", "192.0.2.1");
        assert_eq!(subjects.counted().len(), 3);
        let known = subjects.from_device(&[7; 32]);
        assert_eq!(known.counted().len(), 1);
        assert!(known.counted()[0].starts_with("device:account:"));
    }

    #[test]
    fn subjects_hide_the_account_and_join_a_customer_line() {
        let one = subjects(" Mara@Northwind.example ", "2001:db8:1:2:aaaa::1");
        let two = subjects("mara@northwind.example", "2001:db8:1:2:bbbb::9");
        assert_eq!(one, two);
        assert!(!one.account.contains("mara"));
        assert_eq!(subjects("a", "::ffff:10.0.0.1").address, "address:10.0.0.1");
    }
}
