//! What a check remembers of a file: subjects that come again in a later chunk.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::bulk::known::{Known, Subject};

/// Of so many subjects at once it is remembered how they stand: some tens of megabytes. Of those beyond it
/// is only known that they came, so that nothing is foreseen to be created twice.
const REMEMBERED: usize = 50_000;

/// How often a subject comes in the file, and how often it is still to come.
#[derive(Clone, Copy, Debug)]
struct Coming {
    subject: u64,
    all: usize,
    left: usize,
}

/// The subjects that come more than once, and how those stand that are still to come again.
#[derive(Debug, Default)]
pub struct Repeats {
    /// In the order of their hashes.
    coming: Vec<Coming>,
    known: Known,
}

/// A subject in eight bytes.
#[must_use]
pub fn hash(subject: &Subject) -> u64 {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    hasher.finish()
}

fn place(coming: &[Coming], subject: &Subject) -> Option<usize> {
    coming.binary_search_by_key(&hash(subject), |one| one.subject).ok()
}

impl Repeats {
    /// Of the subjects of a file's rows.
    #[must_use]
    pub fn of(mut subjects: Vec<u64>) -> Self {
        subjects.sort_unstable();
        let runs = subjects.chunk_by(|one, other| one == other).filter(|run| run.len() > 1);
        let coming = runs.filter_map(|run| {
            run.first().map(|subject| Coming { subject: *subject, all: run.len(), left: run.len() })
        });
        Self { coming: coming.collect(), known: Known::default() }
    }

    /// How the rows so far left what comes again.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Whether one of the rows so far was about this.
    #[must_use]
    pub fn came(&self, subject: &Subject) -> bool {
        let found = place(&self.coming, subject).and_then(|at| self.coming.get(at));
        found.is_some_and(|one| one.left < one.all)
    }

    /// Goes on by a chunk: the subjects of its rows, and how they stand after it.
    pub fn go_on(&mut self, subjects: impl Iterator<Item = Subject>, later: Known) {
        for subject in subjects {
            let at = place(&self.coming, &subject);
            if let Some(one) = at.and_then(|at| self.coming.get_mut(at)) {
                one.left = one.left.saturating_sub(1);
            }
        }
        let coming = &self.coming;
        self.known.follow(later, REMEMBERED, |subject| {
            place(coming, subject).and_then(|at| coming.get(at)).is_some_and(|one| one.left > 0)
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bulk::kind::Kind;
    use crate::bulk::row::{self, Row};

    fn user(id: &str) -> Row {
        let said = json!({"user_id": id});
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        row::read(Kind::Users, said.as_object().unwrap(), now, now).unwrap()
    }

    #[test]
    fn a_subject_is_remembered_until_it_has_come_for_the_last_time() {
        let file: Vec<Row> = ["a", "b", "a", "c", "b", "a"].map(user).to_vec();
        let subjects: Vec<Subject> = file.iter().map(|row| Subject::of(row).unwrap()).collect();
        let mut repeats = Repeats::of(subjects.iter().map(hash).collect());
        assert!(!repeats.came(&subjects[0]));
        let remembered: Vec<usize> = file
            .iter()
            .zip(&subjects)
            .map(|(row, subject)| {
                let mut known = Known::default();
                known.hear(row);
                repeats.go_on(std::iter::once(subject.clone()), known);
                repeats.known().subjects()
            })
            .collect();
        assert_eq!(remembered, [1, 2, 2, 2, 1, 0]);
        assert!(repeats.came(&subjects[0]) && !repeats.came(&subjects[3]), "c comes once");
    }

    #[test]
    fn no_more_are_remembered_than_memory_has_room_for() {
        let rows: Vec<Row> = (0..REMEMBERED + 10).map(|n| user(&format!("u{n}"))).collect();
        let subjects: Vec<Subject> = rows.iter().map(|row| Subject::of(row).unwrap()).collect();
        let twice = subjects.iter().chain(&subjects).map(hash).collect();
        let mut repeats = Repeats::of(twice);
        let mut known = Known::default();
        for row in &rows {
            known.hear(row);
        }
        repeats.go_on(subjects.iter().cloned(), known);
        assert_eq!(repeats.known().subjects(), REMEMBERED);
        assert!(subjects.iter().all(|subject| repeats.came(subject)));
    }
}
