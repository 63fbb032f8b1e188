//! What holds for every kind of value, whatever the text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Texts that are nearly values, and texts that are nothing.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,30}",
        "[0-9.,' _+eEKkMm~>-]{0,16}",
        "[0-9TZ:. /+-]{0,30}",
        "[ \u{a0}\u{200b}'=\"{}$%<>()\\[\\]#nNulLiI/Aa.0-]{0,12}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn reading_never_panics_and_blanks_around_say_nothing(text in text()) {
        let plain = json!(text);
        let around = json!(format!("\u{a0} {text}\u{200b}\r\n"));
        prop_assert_eq!(number::number(&plain), number::number(&around));
        prop_assert_eq!(head_count::head_count(&plain), head_count::head_count(&around));
        prop_assert_eq!(time::time(&plain), time::time(&around));
        prop_assert_eq!(boolean::boolean(&plain), boolean::boolean(&around));
        prop_assert_eq!(currency::currency(&plain), currency::currency(&around));
        prop_assert_eq!(id::id(&plain), id::id(&around));
        prop_assert_eq!(text::text_of(&plain), text::text_of(&around));
    }

    #[test]
    fn what_was_read_reads_as_itself(text in text()) {
        let value = json!(text);
        if let Ok(number) = number::number(&value) {
            prop_assert_eq!(number::number(&json!(number)), Ok(number));
        }
        if let Ok(count) = head_count::head_count(&value) {
            prop_assert_eq!(head_count::head_count(&json!(count)), Ok(count));
            prop_assert_eq!(head_count::head_count(&json!(count.to_string())), Ok(count));
        }
        if let Ok(at) = time::time(&value) {
            prop_assert_eq!(time::time(&json!(at.to_rfc3339())), Ok(at));
        }
        if let Ok(id) = id::id(&value) {
            prop_assert_eq!(id::clean(&id), id.as_str());
        }
    }

    #[test]
    fn a_number_is_the_same_as_a_number_and_as_its_text(number in -1_000_000_000_000_i64..1_000_000_000_000, cents in 0..100_u32) {
        let same = |one: Value, other: Value| {
            prop_assert_eq!(number::number(&one), number::number(&other));
            prop_assert_eq!(id::id(&one), id::id(&other));
            prop_assert_eq!(time::time(&one), time::time(&other));
            prop_assert_eq!(head_count::head_count(&one), head_count::head_count(&other));
            Ok(())
        };
        same(json!(number), json!(number.to_string()))?;
        let exact: Value = serde_json::from_str(&format!("{number}.{cents:02}")).unwrap();
        prop_assert_eq!(number::number(&exact), number::number(&json!(format!("{number}.{cents:02}"))));
    }
}
