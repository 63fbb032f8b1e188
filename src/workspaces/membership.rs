//! Who is in a workspace, in what role, since when.

use chrono::{DateTime, Utc};

use crate::ids::{UserId, WorkspaceId};
use crate::ingest::moment::Moment;

/// A person's role in a workspace, as conditions know it.
#[must_use]
pub fn role_named(text: &str) -> Option<&'static str> {
    match text.trim().to_lowercase().replace([' ', '-'], "_").as_str() {
        "admin" | "administrator" | "owner" | "super_admin" | "workspace_admin"
        | "billing_admin" => Some("admin"),
        "member" | "user" | "editor" | "contributor" | "collaborator" | "developer" => {
            Some("member")
        }
        "viewer" | "guest" | "read_only" | "readonly" | "observer" => Some("viewer"),
        _ => None,
    }
}

/// A persona, as conditions know it.
#[must_use]
pub fn persona_named(text: &str) -> Option<&'static str> {
    ["builder", "champion", "evaluator", "economic_buyer"]
        .into_iter()
        .find(|name| *name == text.trim().to_lowercase().replace([' ', '-'], "_"))
}

/// What one event says about a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The person was there.
    Seen,
    /// Something that counts happened there.
    Active,
    /// A `group()` call.
    Grouped,
    /// Leaving: role null, or removed.
    Left,
    /// The role is this.
    Role(&'static str),
    /// The persona is this.
    Persona(&'static str),
}

/// A person in a workspace. Every field is the same whatever the order in which words arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub workspace: WorkspaceId,
    /// Who; always a known user.
    pub user: UserId,
    /// `admin`, `member`, `viewer`.
    pub role: Option<String>,
    /// When the role was given; none for the admin that a workspace's creator is by default.
    pub role_at: Option<DateTime<Utc>>,
    /// Its place among statements of the same time ([`Moment`]); as all of these numbers here.
    pub role_seq: i64,
    /// `builder`, `champion`, `evaluator`, `economic_buyer`.
    pub persona: Option<String>,
    /// `trait`, or who set it by hand: a person's word stands.
    pub persona_source: Option<String>,
    /// When the product said it.
    pub persona_at: Option<DateTime<Utc>>,
    /// See `role_seq`.
    pub persona_seq: i64,
    /// The oldest event that names this workspace.
    pub joined_at: DateTime<Utc>,
    /// When the person left; cleared by a later `group()`.
    pub left_at: Option<DateTime<Utc>>,
    /// See `role_seq`.
    pub left_seq: i64,
    /// The newest counted event that names this workspace itself.
    pub explicit_active_at: Option<DateTime<Utc>>,
    /// The first `group()`.
    pub first_group_at: Option<DateTime<Utc>>,
    /// The newest `group()`.
    pub last_group_at: Option<DateTime<Utc>>,
    /// See `role_seq`.
    pub group_seq: i64,
}

impl Membership {
    /// A membership first heard of at `at`.
    #[must_use]
    pub fn new(workspace: WorkspaceId, user: UserId, at: DateTime<Utc>) -> Self {
        Self {
            workspace,
            user,
            role: None,
            role_at: None,
            role_seq: 0,
            persona: None,
            persona_source: None,
            persona_at: None,
            persona_seq: 0,
            joined_at: at,
            left_at: None,
            left_seq: 0,
            explicit_active_at: None,
            first_group_at: None,
            last_group_at: None,
            group_seq: 0,
        }
    }

    /// Applies what was said then; the newer statement wins ([`Moment`]). Within one call, of two roles
    /// the one that sorts first wins (admin, member, viewer), and leaving wins over a `group()`.
    pub fn hear(&mut self, word: &Word, said: impl Into<Moment>) {
        let said = said.into();
        let at = said.at;
        self.joined_at = self.joined_at.min(at);
        match word {
            Word::Seen => {}
            Word::Active => self.explicit_active_at = self.explicit_active_at.max(Some(at)),
            Word::Grouped => {
                self.first_group_at = Some(self.first_group_at.map_or(at, |first| first.min(at)));
                if Some(said) > moment(self.last_group_at, self.group_seq) {
                    (self.last_group_at, self.group_seq) = (Some(at), said.seq);
                }
                if moment(self.left_at, self.left_seq) < moment(self.last_group_at, self.group_seq)
                {
                    (self.left_at, self.left_seq) = (None, 0);
                }
            }
            Word::Left => {
                let is_newer = Some(said) > moment(self.left_at, self.left_seq);
                if is_newer && Some(said) >= moment(self.last_group_at, self.group_seq) {
                    (self.left_at, self.left_seq) = (Some(at), said.seq);
                }
            }
            Word::Role(role) => {
                let known = moment(self.role_at, self.role_seq);
                if newer(said, role, known, self.role.as_deref()) {
                    self.role = Some((*role).to_owned());
                    (self.role_at, self.role_seq) = (Some(at), said.seq);
                }
            }
            Word::Persona(persona) => {
                let by_hand =
                    self.persona_source.as_deref().is_some_and(|source| source != "trait");
                let known = moment(self.persona_at, self.persona_seq);
                if !by_hand && newer(said, persona, known, self.persona.as_deref()) {
                    self.persona = Some((*persona).to_owned());
                    self.persona_source = Some("trait".to_owned());
                    (self.persona_at, self.persona_seq) = (Some(at), said.seq);
                }
            }
        }
    }
}

impl Membership {
    /// Whether a statement may change what the membership was on some day; the same said again, after all
    /// that is known, does not. To be asked before it is heard.
    #[must_use]
    pub fn is_news(&self, word: &Word, said: Moment) -> bool {
        let is_late = |known: Option<Moment>| known.is_none_or(|known| said < known);
        match word {
            Word::Seen | Word::Active => false,
            Word::Grouped => {
                self.last_group_at.is_some_and(|last| said.at.date_naive() < last.date_naive())
            }
            Word::Left => true,
            Word::Role(role) => {
                is_late(moment(self.role_at, self.role_seq)) || self.role.as_deref() != Some(role)
            }
            Word::Persona(persona) => {
                is_late(moment(self.persona_at, self.persona_seq))
                    || self.persona.as_deref() != Some(persona)
            }
        }
    }
}

/// What was said about a membership on one UTC day: of each kind of statement the newest, with its
/// moment. All days up to one tell what the membership was on that day, whatever the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembershipDay {
    /// See [`Membership::role`].
    pub role: Option<(&'static str, Moment)>,
    /// See [`Membership::persona`].
    pub persona: Option<(&'static str, Moment)>,
    /// A `group()` call, or a record that says that the person is there.
    pub grouped: Option<Moment>,
    /// Leaving.
    pub left: Option<Moment>,
}

impl MembershipDay {
    /// Applies what was said, as [`Membership::hear`] does.
    pub fn hear(&mut self, word: &Word, said: Moment) {
        let newest = |known: Option<(&'static str, Moment)>, text: &'static str| {
            let (known_text, at) = (known.map(|one| one.0), known.map(|one| one.1));
            if newer(said, text, at, known_text) { Some((text, said)) } else { known }
        };
        match word {
            Word::Seen | Word::Active => {}
            Word::Grouped => self.grouped = self.grouped.max(Some(said)),
            Word::Left => self.left = self.left.max(Some(said)),
            Word::Role(role) => self.role = newest(self.role, role),
            Word::Persona(persona) => self.persona = newest(self.persona, persona),
        }
    }
}

/// What has to be known of a membership of which nothing is said but that somebody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// See [`Membership::joined_at`].
    pub joined_at: DateTime<Utc>,
    /// See [`Membership::explicit_active_at`].
    pub explicit_active_at: Option<DateTime<Utc>>,
}

impl Span {
    /// When these words can change nothing but the time of the newest activity: that time, if they
    /// change it. None when the whole membership has to hear them.
    #[must_use]
    pub fn only_active(&self, words: &[(Moment, Word)]) -> Option<Option<DateTime<Utc>>> {
        let mut newest = None;
        for (at, word) in words {
            let at = at.at;
            if at < self.joined_at {
                return None;
            }
            match word {
                Word::Seen => {}
                Word::Active => newest = newest.max(Some(at)),
                _ => return None,
            }
        }
        Some(newest.filter(|_| newest > self.explicit_active_at))
    }
}

fn moment(at: Option<DateTime<Utc>>, seq: i64) -> Option<Moment> {
    at.map(|at| Moment::new(at, seq))
}

fn newer(said: Moment, word: &str, known_at: Option<Moment>, known: Option<&str>) -> bool {
    known_at.is_none_or(|known_at| {
        said > known_at || (said == known_at && known.is_none_or(|known| word < known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn what_only_tells_of_activity_changes_nothing_else() {
        let mut membership = Membership::new(WorkspaceId::of("w"), UserId::known("u"), at(5));
        membership.hear(&Word::Active, at(7));
        let span = Span {
            joined_at: membership.joined_at,
            explicit_active_at: membership.explicit_active_at,
        };
        for (words, expected) in [
            (vec![(at(9), Word::Seen), (at(9), Word::Active)], Some(Some(at(9)))),
            (vec![(at(9), Word::Seen), (at(6), Word::Active)], Some(None)),
            (vec![(at(4), Word::Seen)], None),
            (vec![(at(9), Word::Active), (at(9), Word::Grouped)], None),
        ] {
            let words: Vec<(Moment, Word)> =
                words.into_iter().map(|(at, word)| (at.into(), word)).collect();
            assert_eq!(span.only_active(&words), expected);
            if let Some(newest) = expected {
                let mut whole = membership.clone();
                words.iter().for_each(|(at, word)| whole.hear(word, *at));
                let active = newest.or(membership.explicit_active_at);
                assert_eq!(whole, Membership { explicit_active_at: active, ..membership.clone() });
            }
        }
    }

    fn told(words: &[(Word, i64)], order: &[usize]) -> Membership {
        let mut membership =
            Membership::new(WorkspaceId::of("w"), UserId::known("u"), at(words[order[0]].1));
        for &index in order {
            membership.hear(&words[index].0, at(words[index].1));
        }
        membership
    }

    #[test]
    fn any_order_of_words_ends_the_same() {
        let words = [
            (Word::Grouped, 2),
            (Word::Role("member"), 2),
            (Word::Role("admin"), 2),
            (Word::Left, 5),
            (Word::Grouped, 7),
            (Word::Left, 6),
            (Word::Active, 1),
        ];
        let expected = told(&words, &[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((expected.left_at, expected.role.as_deref()), (None, Some("admin")));
        for order in [[6, 5, 4, 3, 2, 1, 0], [3, 4, 0, 5, 2, 6, 1], [5, 3, 4, 0, 1, 6, 2]] {
            assert_eq!(told(&words, &order), expected);
        }
        let gone = told(&words[..4], &[3, 0, 1, 2]);
        assert_eq!(gone.left_at, Some(at(5)));
    }

    #[test]
    fn of_equal_times_the_later_statement_is_the_newer() {
        let said = |word: Word, seq: i64| (word, Moment::new(at(5), seq));
        let words = [
            said(Word::Role("admin"), 1),
            said(Word::Role("viewer"), 2),
            said(Word::Left, 3),
            said(Word::Grouped, 4),
            said(Word::Persona("builder"), 1),
            said(Word::Persona("champion"), 0),
        ];
        for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 5, 2, 4, 1]] {
            let mut membership = Membership::new(WorkspaceId::of("w"), UserId::known("u"), at(5));
            for index in order {
                membership.hear(&words[index].0, words[index].1);
            }
            assert_eq!(membership.role.as_deref(), Some("viewer"));
            assert_eq!(membership.persona.as_deref(), Some("builder"));
            assert_eq!(membership.left_at, None, "who comes back by the later call is there");
        }
    }
}
