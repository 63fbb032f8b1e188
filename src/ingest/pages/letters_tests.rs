use super::*;
use crate::ids::SourceId;

#[test]
fn cursors_read_back_and_junk_begins_anew() {
    let id = Uuid::now_v7();
    let (at, read) = cursor(&format!("1790000000000001_{id}")).unwrap();
    assert_eq!((at.timestamp_micros(), read), (1_790_000_000_000_001, id));
    assert_eq!(cursor("junk"), None);
    assert_eq!(cursor("9_9"), None);
}

proptest::proptest! {
    /// PostgreSQL and chrono end at different years: nothing near either end gets to a query.
    #[test]
    fn a_forged_cursor_is_a_day_that_may_be_asked_about(micros in proptest::prelude::any::<i64>(), text in "\\PC{0,60}") {
        let asked = cursor(&format!("{micros}_{}", Uuid::nil()));
        proptest::prop_assert_eq!(asked.map(|(at, _)| at), askable_time(micros));
        proptest::prop_assert!(asked.is_none_or(|(at, _)| is_askable(at.date_naive())));
        cursor(&text);
    }
}

#[test]
fn a_filter_means_what_it_can_and_says_what_it_cannot() {
    let filter = Filter {
        code: "too_deep".into(),
        event: NAMELESS.into(),
        since: "yesterday".into(),
        source: SourceId(Uuid::nil()).to_string(),
        ..Filter::default()
    };
    let chosen = filter.chosen();
    assert_eq!(chosen.event.as_deref(), Some(""));
    assert_eq!((chosen.since, chosen.source), (None, Some(SourceId(Uuid::nil()))));
    let words: Vec<String> = asked(&filter, &[]).into_iter().map(|(word, _)| word).collect();
    assert_eq!(words.len(), 4);
    assert!(words[3].contains("“since”"));
    assert!(filter.href().contains("event=%28no+name%29"));
    assert!(Filter::default().chosen().is_all());
}
