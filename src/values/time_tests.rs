//! Times as products, warehouses and spreadsheets write them.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn strict(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

#[test]
fn every_form_of_the_captures_and_the_documentation_is_read() {
    for (given, same) in [
        ("2026-11-20T10:52:37.378Z", "2026-11-20T10:52:37.378Z"),
        ("2026-11-20T10:52:30.787244+00:00", "2026-11-20T10:52:30.787244Z"),
        ("2026-11-20T10:53:44.804474449Z", "2026-11-20T10:53:44.804474Z"),
        ("2026-11-20T12:53:44+02:00", "2026-11-20T10:53:44Z"),
        ("2026-11-20T05:23:44-0530", "2026-11-20T10:53:44Z"),
        ("2026-11-20T12:53:44+02", "2026-11-20T10:53:44Z"),
        ("2026-11-20 23:30:00-08", "2026-11-21T07:30:00Z"),
        ("2026-11-20 23:30:00-0800", "2026-11-21T07:30:00Z"),
        ("2026-11-20 23:30:00.123456-08:00", "2026-11-21T07:30:00.123456Z"),
        ("2026-11-20 23:30:00 +0100", "2026-11-20T22:30:00Z"),
        ("2026-11-20 23:30:00 UTC", "2026-11-20T23:30:00Z"),
        ("2026-11-20 23:30:00 GMT", "2026-11-20T23:30:00Z"),
        ("2026-11-20  23:30", "2026-11-20T23:30:00Z"),
        ("2026/11/20 23:30", "2026-11-20T23:30:00Z"),
        ("20261120T103000Z", "2026-11-20T10:30:00Z"),
        ("2015-2-02T00:30:08.276Z", "2015-02-02T00:30:08.276Z"),
        ("2015-2-2 0:30", "2015-02-02T00:30:00Z"),
        ("2015-02-02", "2015-02-02T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        (" 2015-02-02t10:00:00,5z ", "2015-02-02T10:00:00.5Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(instant(given), Some(strict(same)), "{given}");
    }
}

#[test]
fn anything_else_is_no_instant() {
    for text in [
        "",
        "yesterday",
        "2026",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "1700000000000",
        "2026-01-01T10:00:00+99:00",
        "2026-01-01T10:00:00+02:75",
        "2026-01-01T10:00:00Zjunk",
        "20-1-1",
        "2026-01-01T",
        "2026-01-01T10",
        "Fri Nov 20 2026 10:00:00 GMT",
        "2026-01-01T10:00:61Z",
        "2026-11/20",
        "2026-01-01 10:00 CET",
        "20261120",
    ] {
        assert_eq!(instant(text), None, "{text}");
    }
}

#[test]
fn numbers_say_their_unit_by_their_size_as_text_and_as_number() {
    for (given, same) in [
        ("1700000000", "2023-11-14T22:13:20Z"),
        ("1700000000.25", "2023-11-14T22:13:20.25Z"),
        ("1700000000000", "2023-11-14T22:13:20Z"),
        ("1700000000000000", "2023-11-14T22:13:20Z"),
        ("1700000000000000000", "2023-11-14T22:13:20Z"),
        ("946684800", "2000-01-01T00:00:00Z"),
        ("946684800000", "2000-01-01T00:00:00Z"),
        ("20261120", "2026-11-20T00:00:00Z"),
        ("20261120103000", "2026-11-20T10:30:00Z"),
        ("202611201030", "2026-11-20T10:30:00Z"),
        ("45992", "2025-12-01T00:00:00Z"),
        ("45992.5", "2025-12-01T12:00:00Z"),
        ("45992.4375", "2025-12-01T10:30:00Z"),
        ("36526", "2000-01-01T00:00:00Z"),
    ] {
        let wanted: DateTime<Utc> = same.parse().unwrap();
        assert_eq!(time(&json!(given)), Ok(wanted), "{given}");
        assert_eq!(time(&serde_json::from_str(given).unwrap()), Ok(wanted), "{given} as a number");
        assert_eq!(time(&json!(format!("=\"{given}\""))), Ok(wanted), "{given} as a formula");
        assert_eq!(time(&json!(format!(" {given}\u{a0}"))), Ok(wanted), "{given} with blanks");
    }
    assert_eq!(time(&json!(1.7e9)), Ok("2023-11-14T22:13:20Z".parse().unwrap()));
    assert_eq!(time(&json!("1.7e12")), Ok("2023-11-14T22:13:20Z".parse().unwrap()));
}

#[test]
fn nothing_becomes_1970() {
    for (value, fault) in [
        (json!(0), Fault::TooEarly),
        (json!("0"), Fault::TooEarly),
        (json!(1), Fault::TooEarly),
        (json!(-1), Fault::TooEarly),
        (json!(1000), Fault::TooEarly),
        (json!(100_000), Fault::TooEarly),
        (json!(946_684_799), Fault::TooEarly),
        (json!("1970-01-01"), Fault::TooEarly),
        (json!("1970-01-01T00:00:00.000Z"), Fault::TooEarly),
        (json!("0001-01-01T00:00:00Z"), Fault::TooEarly),
        (json!("1999-12-31T23:59:59.999Z"), Fault::TooEarly),
        (json!("1899-12-30"), Fault::TooEarly),
        (json!("19700101"), Fault::TooEarly),
        (json!(2026), Fault::NoDay),
        (json!("2026"), Fault::NoDay),
        (json!("2026-11"), Fault::NoDay),
        (json!("20.11.2026"), Fault::NoTime),
        (json!("11/20/2026"), Fault::NoTime),
        (json!("0000-00-00 00:00:00"), Fault::NoTime),
        (json!("99999999999999999999999"), Fault::NoTime),
        (json!(1e300), Fault::NoTime),
        (json!(""), Fault::NoTime),
        (json!("yesterday"), Fault::NoTime),
        (json!(true), Fault::NoTime),
        (json!(null), Fault::NoTime),
    ] {
        assert_eq!(time(&value), Err(fault), "{value}");
        assert!(fault.advice().contains("2026-11-20"));
    }
}

proptest! {
    #[test]
    fn never_panics_and_never_before_the_floor(text in ".*", near in "[0-9T:.+Z -]{0,40}", number in any::<i64>(), double in any::<f64>()) {
        for value in [json!(text), json!(near), json!(number), json!(double), json!(number.to_string())] {
            if let Ok(at) = time(&value) {
                prop_assert!(at.timestamp_micros() >= FLOOR);
                prop_assert_eq!(time(&json!(at.to_rfc3339())), Ok(at));
            }
        }
        prop_assert_eq!(time(&json!(number)), time(&json!(number.to_string())));
    }

    #[test]
    fn agrees_with_chrono(seconds in 0_i64..4_000_000_000, micros in 0_u32..1_000_000) {
        let time = DateTime::from_timestamp(seconds, micros * 1000).unwrap();
        prop_assert_eq!(instant(&time.to_rfc3339()), Some(time.timestamp_micros()));
    }

    #[test]
    fn every_unit_is_the_same_moment(seconds in 946_684_800_i64..4_000_000_000) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        for number in [seconds, seconds * 1000, seconds * 1_000_000] {
            prop_assert_eq!(time(&json!(number)), Ok(at));
        }
    }
}
