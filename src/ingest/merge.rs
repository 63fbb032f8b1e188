//! Which notes of the drainer become one (pure).
//!
//! The drainer notes every chunk. At low traffic that is a row a second or so, each of a few events, kept
//! as long as the journal; what a rebuild needs to know of them is the same when they are one row.

use chrono::NaiveDate;

/// As much as a step of a rebuild takes on at most, in events and rows of the journal.
const EVENTS: i64 = 5_000;
const ROWS: usize = 500;

/// A note, as far as merging needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    /// The version of the catalog by which it counts.
    pub catalog: i32,
    /// The version of the rules by which it was projected.
    pub rules: i32,
    /// The day of the journal that holds its rows: a note goes when its day is dropped.
    pub day: NaiveDate,
    /// Rows of the journal.
    pub rows: usize,
    /// Events in these.
    pub events: i64,
}

/// Runs of neighbours that may become one: of one version and one day, and together no larger than a
/// step of a rebuild. As start and length, at least two each, in order.
#[must_use]
pub fn runs(notes: &[Small]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut open: Option<(usize, usize, Small)> = None;
    for (place, note) in notes.iter().enumerate() {
        let joined = open.take().and_then(|(start, length, sum)| {
            let sum = joined(sum, *note);
            if sum.is_none() && length > 1 {
                runs.push((start, length));
            }
            Some((start, length.saturating_add(1), sum?))
        });
        open = joined.or(Some((place, 1, *note)));
    }
    if let Some((start, length, _)) = open.filter(|(_, length, _)| *length > 1) {
        runs.push((start, length));
    }
    runs
}

fn joined(one: Small, other: Small) -> Option<Small> {
    let rows = one.rows.saturating_add(other.rows);
    let events = one.events.saturating_add(other.events);
    let is_alike = (one.catalog, one.rules, one.day) == (other.catalog, other.rules, other.day);
    let fits = is_alike && rows <= ROWS && events <= EVENTS;
    fits.then_some(Small { rows, events, ..one })
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use super::*;

    fn notes() -> impl Strategy<Value = Vec<Small>> {
        let note = (1..5, 0..3_u64, 1..300_usize, prop_oneof![0..20_i64, 0..6_000_i64]).prop_map(
            |(version, day, rows, events)| Small {
                catalog: version % 2,
                rules: version / 2,
                day: NaiveDate::default() + Days::new(day),
                rows,
                events,
            },
        );
        proptest::collection::vec(note, 0..60)
    }

    proptest! {
        #[test]
        fn runs_are_neighbours_alike_small_and_as_long_as_they_can_be(notes in notes()) {
            let runs = runs(&notes);
            let mut end = 0;
            for (start, length) in &runs {
                prop_assert!(*start >= end && *length > 1);
                end = start + length;
                prop_assert!(end <= notes.len());
                let all = &notes[*start..end];
                prop_assert!(all.iter().all(|one| (one.catalog, one.rules, one.day) == (all[0].catalog, all[0].rules, all[0].day)));
                prop_assert!(all.iter().map(|one| one.rows).sum::<usize>() <= ROWS);
                prop_assert!(all.iter().map(|one| one.events).sum::<i64>() <= EVENTS);
            }
            // What follows a run could not have been taken into it, nor could two lone neighbours join.
            let mut parts: Vec<(usize, usize)> = runs.clone();
            let within = |place: usize| runs.iter().any(|(start, length)| (*start..start + length).contains(&place));
            parts.extend((0..notes.len()).filter(|place| !within(*place)).map(|place| (place, 1)));
            parts.sort_unstable();
            for pair in parts.windows(2) {
                let sum = notes[pair[0].0..pair[0].0 + pair[0].1].iter().copied()
                    .reduce(|one, other| Small { rows: one.rows + other.rows, events: one.events + other.events, ..one })
                    .unwrap();
                prop_assert_eq!(joined(sum, notes[pair[1].0]), None);
            }
        }
    }
}
