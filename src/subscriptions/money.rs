//! Amounts of several currencies: they are never added up, and never compared as if they were one. Pure.

use std::collections::BTreeMap;

use crate::web::format;

/// A monthly amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount<'a> {
    /// ISO 4217, in small letters.
    pub currency: &'a str,
    /// In minor units of the currency.
    pub minor: i64,
}

/// An amount in hundredths of the currency's unit, whatever its minor units are: 3,000 yen are
/// 300,000, as 3,000.00 dollars are. Rounded down.
#[must_use]
pub fn hundredths(amount: Amount<'_>) -> i64 {
    let decimals = format::decimals(amount.currency);
    match decimals.checked_sub(2) {
        Some(more) => amount.minor.div_euclid(10_i64.pow(more)),
        None => amount.minor.saturating_mul(10_i64.pow(2_u32.saturating_sub(decimals))),
    }
}

/// The currency that speaks for all of several amounts: the one that most of them are in; of several
/// such, the one in which they come to the higher number, which is a guess and adds nothing up; else
/// the first in the alphabet.
#[must_use]
pub fn main_currency<'a>(amounts: impl IntoIterator<Item = Amount<'a>>) -> Option<&'a str> {
    let mut known = BTreeMap::<&str, (usize, i64)>::new();
    for amount in amounts {
        let (many, sum) = known.entry(amount.currency).or_default();
        *many = many.saturating_add(1);
        *sum = sum.saturating_add(hundredths(amount));
    }
    let most =
        known.into_iter().max_by_key(|(currency, held)| (*held, std::cmp::Reverse(*currency)));
    most.map(|(currency, _)| currency)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn main_of(amounts: &[(&'static str, i64)]) -> Option<&'static str> {
        main_currency(amounts.iter().map(|&(currency, minor)| Amount { currency, minor }))
    }

    #[test]
    fn hundredths_of_every_kind_of_currency() {
        for (currency, minor, expected) in
            [("jpy", 3000, 300_000), ("usd", 2000, 2000), ("kwd", 12_345, 1234), ("", 5, 5)]
        {
            assert_eq!(hundredths(Amount { currency, minor }), expected, "{currency}");
        }
        assert_eq!(hundredths(Amount { currency: "jpy", minor: i64::MAX }), i64::MAX);
    }

    #[test]
    fn the_currency_of_most_then_of_the_higher_number() {
        assert_eq!(main_of(&[]), None);
        assert_eq!(main_of(&[("jpy", 900_000), ("eur", 1), ("eur", 1)]), Some("eur"));
        assert_eq!(main_of(&[("usd", 2000), ("jpy", 3000)]), Some("jpy"), "20.00 and 3,000");
        assert_eq!(main_of(&[("usd", 2000), ("jpy", 19)]), Some("usd"));
        assert_eq!(main_of(&[("usd", 0), ("eur", 0)]), Some("eur"));
    }

    proptest! {
        #[test]
        fn no_order_matters(picks in proptest::collection::vec((0..3_usize, 0..5_i64), 0..8)) {
            let name = |at: usize| ["usd", "eur", "jpy"][at];
            let all: Vec<_> = picks.iter().map(|(at, minor)| (name(*at), *minor)).collect();
            let mut turned = all.clone();
            turned.reverse();
            prop_assert_eq!(main_of(&all), main_of(&turned));
        }
    }
}
