//! How long to wait after failed sign-ins.
//!
//! Every attempt is counted under three subjects: the account, the address, and the pair of both.
//! The first few are free; then each failure doubles the wait. From an address where this account
//! signed in lately only the pair counts, so that strangers who guess at an account slow down
//! themselves and never lock its owner out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::web::token;

/// Attempts older than this no longer count.
pub const WINDOW: TimeDelta = TimeDelta::hours(1);
/// How long an address stays known after a sign-in from it.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// Failures that cost nothing: typing errors.
const FREE: u32 = 5;
/// Longest wait in seconds.
const LONGEST: u32 = 900;
/// Many people share one office address, so it gets more room.
const FREE_PER_ADDRESS: u32 = 20;

/// What attempts are counted under. The account is hashed: the table names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// The account, wherever from.
    pub account: String,
    /// The address, whoever for.
    pub address: String,
    /// This account from this address.
    pub pair: String,
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
    /// For the account from anywhere.
    pub account: Count,
    /// For anybody from the address.
    pub address: Count,
    /// For the account from the address.
    pub pair: Count,
    /// Whether this account signed in from this address within [`KNOWN_FOR`].
    pub known_address: bool,
}

/// Seconds until the next attempt is heard; `None` if it is heard now.
#[must_use]
pub fn wait(counts: &Counts, now: DateTime<Utc>) -> Option<u32> {
    let pair = remaining(counts.pair, FREE, now);
    if counts.known_address {
        return pair;
    }
    let account = remaining(counts.account, FREE, now);
    let address = remaining(counts.address, FREE_PER_ADDRESS, now);
    pair.max(account).max(address)
}

fn remaining(count: Count, free: u32, now: DateTime<Utc>) -> Option<u32> {
    let beyond = count.failures.checked_sub(free)?;
    let pause = 2_u32.checked_pow(beyond).unwrap_or(LONGEST).min(LONGEST);
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
    fn the_first_five_are_free_then_the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let wait_after =
            |n| wait(&Counts { pair: count(n), ..Counts::default() }, at(1000)).unwrap_or(0);
        assert_eq!(wait_after(4), 0);
        assert_eq!([5, 6, 7, 10].map(wait_after), [2, 3, 5, 33]);
        assert_eq!([20, 200].map(wait_after), [901, 901]);
        let late = Counts { pair: count(6), ..Counts::default() };
        assert_eq!(wait(&late, at(1002)), None);
    }

    #[test]
    fn strangers_do_not_lock_out_a_known_address() {
        let guessed = Counts { account: count(500), ..Counts::default() };
        assert!(wait(&guessed, at(1000)).is_some());
        assert_eq!(wait(&Counts { known_address: true, ..guessed }, at(1000)), None);
    }

    #[test]
    fn an_office_gets_more_room_than_an_account() {
        let office = |n| wait(&Counts { address: count(n), ..Counts::default() }, at(1000));
        assert_eq!(office(19), None);
        assert!(office(21).is_some());
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
