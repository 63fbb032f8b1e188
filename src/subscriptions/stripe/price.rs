//! Monthly recurring revenue of an item, exactly: whole numbers until the only rounding at the end.

use serde_json::Value;

/// Amounts are counted in 10^-12 of a minor unit: Stripe writes at most twelve decimals.
const SCALE: u32 = 12;

/// What an item brings in every month, or why it cannot be told from the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monthly {
    /// Minor units of the currency, rounded half away from zero.
    Fixed(i64),
    /// By use: nothing until the use is invoiced.
    Metered,
    /// Several prices by quantity, which the event does not hold.
    Tiered,
    /// No amount, or one that no money has.
    Odd,
}

/// The MRR of an item of a subscription (`items.data[]`): amount times quantity, per month.
#[must_use]
pub fn monthly(item: &Value) -> Monthly {
    let price = price_of(item);
    let text = |name: &str| price.get(name).and_then(Value::as_str);
    let recurring = price.get("recurring").unwrap_or(price);
    if recurring.get("usage_type").and_then(Value::as_str) == Some("metered") {
        return Monthly::Metered;
    }
    if text("billing_scheme") == Some("tiered") {
        return Monthly::Tiered;
    }
    let fixed = || {
        let amount = amount(price)?;
        // A licensed item always has a quantity; without one there is nothing to multiply by.
        let quantity = whole(item.get("quantity")?)?;
        let billed = transformed(price.get("transform_quantity"), quantity)?;
        let count = match recurring.get("interval_count") {
            None | Some(Value::Null) => 1,
            Some(count) => whole(count).filter(|count| *count > 0)?,
        };
        let (times, by) = per_month(recurring.get("interval")?.as_str()?, count)?;
        let amount = amount.checked_mul(billed)?.checked_mul(times)?;
        i64::try_from(divided(amount, by.checked_mul(10_i128.pow(SCALE))?)?).ok()
    };
    fixed().map_or(Monthly::Odd, Monthly::Fixed)
}

/// Whether an item has a fixed price of 0, whatever its quantity.
#[must_use]
pub fn is_free(item: &Value) -> bool {
    matches!(monthly(item), Monthly::Fixed(0)) && amount(price_of(item)) == Some(0)
}

/// The price of an item: `price`, or the older `plan`, whose amounts have other names.
#[must_use]
pub fn price_of(item: &Value) -> &Value {
    let named = |name: &str| item.get(name).filter(|value| value.is_object());
    named("price").or_else(|| named("plan")).unwrap_or(&Value::Null)
}

/// A month as a share of the interval: a year has 12 months, 52 weeks and 365 days.
fn per_month(interval: &str, count: i128) -> Option<(i128, i128)> {
    Some(match interval {
        "month" => (1, count),
        "year" => (1, count.checked_mul(12)?),
        "week" => (52, count.checked_mul(12)?),
        "day" => (365, count.checked_mul(12)?),
        _ => return None,
    })
}

fn amount(price: &Value) -> Option<i128> {
    let set = |names: [&str; 2]| {
        names.iter().find_map(|name| price.get(*name)).filter(|value| !value.is_null())
    };
    match set(["unit_amount_decimal", "amount_decimal"]) {
        Some(Value::String(text)) => decimal(text),
        Some(Value::Number(number)) => decimal(&number.to_string()),
        _ => whole(set(["unit_amount", "amount"])?)?.checked_mul(10_i128.pow(SCALE)),
    }
}

/// A decimal of at most 12 places, in 10^-12.
fn decimal(text: &str) -> Option<i128> {
    let (digits, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits.len() > 15 || !is_number(digits) || !is_number(fraction) {
        return None;
    }
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= SCALE)?;
    let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let whole: i128 = digits.parse().ok()?;
    Some(whole * 10_i128.pow(SCALE) + fraction * 10_i128.pow(SCALE - places))
}

/// A whole number of at least 0, as a number or as text.
fn whole(value: &Value) -> Option<i128> {
    let read = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    read.filter(|number| *number >= 0).map(i128::from)
}

/// Packages instead of pieces: the quantity divided, up or down.
fn transformed(transform: Option<&Value>, quantity: i128) -> Option<i128> {
    let Some(transform) = transform.filter(|value| value.is_object()) else {
        return Some(quantity);
    };
    let by = whole(transform.get("divide_by")?).filter(|by| *by > 0)?;
    match transform.get("round").and_then(Value::as_str) {
        Some("up") => Some(quantity.checked_add(by - 1)? / by),
        Some("down") => Some(quantity / by),
        _ => None,
    }
}

/// Half away from zero; both are at least 0.
fn divided(number: i128, by: i128) -> Option<i128> {
    number.checked_mul(2)?.checked_add(by)?.checked_div(by.checked_mul(2)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn item(amount: &str, quantity: i64, interval: &str, count: i64) -> Value {
        json!({"quantity": quantity, "price": {
            "billing_scheme": "per_unit", "unit_amount_decimal": amount,
            "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"}}})
    }

    #[test]
    fn every_interval_per_month() {
        for (interval, count, cents) in [
            ("month", 1, 1200),
            ("month", 3, 400),
            ("year", 1, 100),
            ("year", 2, 50),
            ("week", 1, 5200),
            ("week", 2, 2600),
            ("day", 1, 36_500),
            ("day", 30, 1217),
        ] {
            let got = monthly(&item("1200", 1, interval, count));
            assert_eq!(got, Monthly::Fixed(cents), "{count} {interval}");
        }
    }

    #[test]
    fn decimals_are_rounded_once_at_the_end() {
        assert_eq!(monthly(&item("0.000000000001", 1_000_000, "month", 1)), Monthly::Fixed(0));
        assert_eq!(monthly(&item("0.05", 1_000, "month", 1)), Monthly::Fixed(50));
        assert_eq!(monthly(&item("0.5", 1, "month", 1)), Monthly::Fixed(1));
        assert_eq!(monthly(&item("33.333333333333", 3, "month", 1)), Monthly::Fixed(100));
        assert_eq!(monthly(&item("0.0000000000001", 1, "month", 1)), Monthly::Odd);
        assert_eq!(monthly(&item("-5", 1, "month", 1)), Monthly::Odd);
        assert_eq!(monthly(&item("1e3", 1, "month", 1)), Monthly::Odd);
        assert_eq!(monthly(&item("5", 1, "fortnight", 1)), Monthly::Odd);
        assert_eq!(monthly(&item("5", 1, "month", 0)), Monthly::Odd);
    }

    #[test]
    fn what_has_no_fixed_amount() {
        let metered = json!({"price": {"unit_amount": 10, "recurring": {"interval": "month", "usage_type": "metered"}}});
        assert_eq!(monthly(&metered), Monthly::Metered);
        let tiered = json!({"quantity": 3, "price": {"billing_scheme": "tiered", "unit_amount": null,
            "recurring": {"interval": "month", "usage_type": "licensed"}}});
        assert_eq!(monthly(&tiered), Monthly::Tiered);
        assert_eq!(monthly(&json!({"quantity": 1})), Monthly::Odd);
        let no_quantity = json!({"price": {"unit_amount": 10, "recurring": {"interval": "month"}}});
        assert_eq!(monthly(&no_quantity), Monthly::Odd);
    }

    #[test]
    fn the_older_plan_and_packages() {
        let plan = json!({"quantity": 2, "plan": {"amount": 900, "interval": "year", "interval_count": 1}});
        assert_eq!(monthly(&plan), Monthly::Fixed(150));
        let mut packages = item("1000", 11, "month", 1);
        packages["price"]["transform_quantity"] = json!({"divide_by": 5, "round": "up"});
        assert_eq!(monthly(&packages), Monthly::Fixed(3000));
        packages["price"]["transform_quantity"] = json!({"divide_by": 5, "round": "down"});
        assert_eq!(monthly(&packages), Monthly::Fixed(2000));
    }

    proptest! {
        #[test]
        fn whole_amounts_agree_with_plain_arithmetic(amount in 0..10_000_000_i64, quantity in 0..100_000_i64, count in 1..36_i64) {
            let text = amount.to_string();
            let monthly_cents = |interval| match monthly(&item(&text, quantity, interval, count)) {
                Monthly::Fixed(cents) => i128::from(cents),
                other => panic!("{other:?}"),
            };
            let total = i128::from(amount) * i128::from(quantity);
            let count = i128::from(count);
            // Within half a minor unit of the exact share: |2 * by * cents - 2 * times * total| <= by.
            for (interval, times, by) in [("month", 1, count), ("year", 1, 12 * count), ("week", 52, 12 * count), ("day", 365, 12 * count)] {
                let off = (2 * by * monthly_cents(interval) - 2 * times * total).abs();
                prop_assert!(off <= by, "{interval}");
            }
        }

        #[test]
        fn more_seats_never_cost_less(amount in "[0-9]{1,6}\\.[0-9]{0,12}", seats in 0..1000_i64, count in 1..13_i64) {
            let cents = |seats| match monthly(&item(&amount, seats, "month", count)) {
                Monthly::Fixed(cents) => cents,
                other => panic!("{other:?}"),
            };
            prop_assert!(cents(seats) <= cents(seats + 1));
        }

        #[test]
        fn anything_is_answered(text in ".{0,40}", quantity in any::<i64>(), count in any::<i64>()) {
            let _ = monthly(&item(&text, quantity, "day", count));
        }
    }
}
