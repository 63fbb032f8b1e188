//! The people of a workspace with their dated facts, and what each is on a day. Pure.
//!
//! A person is counted once, whatever the number of users that were merged into one and of
//! workspaces in the union of an account: the strongest role, the earliest day of joining.

use chrono::NaiveDate;

use super::dated::Dated;
use crate::ids::UserId;
use crate::usage::facts::Member;

/// What is known of a person, wherever they are a member.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the fields of the signal dictionary")]
pub struct PersonFacts {
    pub seniority: Option<String>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    pub email_kind: Option<String>,
    /// The registrable domain of the e-mail.
    pub domain: Option<String>,
}

/// What a membership says of its person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the signal dictionary")]
pub struct Part {
    pub role: Option<String>,
    pub persona: Option<String>,
}

/// One membership with its past.
#[derive(Clone, Debug, PartialEq)]
pub struct DatedMembership {
    /// Its first day.
    pub joined_on: NaiveDate,
    /// The day from which it no longer exists.
    pub left_on: Option<NaiveDate>,
    /// Spans before that in which it did not exist: from a day until before another.
    pub absences: Vec<(NaiveDate, NaiveDate)>,
    /// Role and persona.
    pub part: Dated<Part>,
}

impl DatedMembership {
    fn exists(&self, day: NaiveDate) -> bool {
        self.joined_on <= day
            && self.left_on.is_none_or(|left| left > day)
            && !self.absences.iter().any(|(from, until)| *from <= day && day < *until)
    }

    /// The spans in which it exists: from a day until before another, or still.
    fn spans(&self) -> Vec<(NaiveDate, Option<NaiveDate>)> {
        let mut spans = Vec::with_capacity(self.absences.len() + 1);
        let mut from = self.joined_on;
        for (left, back) in &self.absences {
            spans.push((from, Some(*left)));
            from = *back;
        }
        spans.push((from, self.left_on));
        spans.retain(|(from, until)| until.is_none_or(|until| *from < until));
        spans
    }
}

/// Somebody in a workspace, after stitching and merging.
#[derive(Clone, Debug, PartialEq)]
pub struct DatedPerson {
    /// Who.
    pub id: UserId,
    /// The product's id.
    pub external_id: String,
    /// Their facts.
    pub facts: Dated<PersonFacts>,
    /// Their memberships; at least one.
    pub memberships: Vec<DatedMembership>,
}

impl DatedPerson {
    /// The member that this person is on `day`.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> Member {
        let facts = self.facts.on(day).clone();
        let Presence { joined_on, left_on, absences } = self.presence();
        // A membership that does not exist says nothing, unless there is no other.
        let exists = |one: &&DatedMembership| one.exists(day);
        let mut parts: Vec<&Part> =
            self.memberships.iter().filter(exists).map(|one| one.part.on(day)).collect();
        if parts.is_empty() {
            parts = self.memberships.iter().map(|one| one.part.on(day)).collect();
        }
        let role =
            parts.iter().filter_map(|part| part.role.as_deref()).max_by_key(|r| role_rank(r));
        let persona =
            parts.iter().filter_map(|part| part.persona.as_deref()).max_by_key(|p| persona_rank(p));
        Member {
            external_id: self.external_id.clone(),
            role: role.map(str::to_owned),
            persona: persona.map(str::to_owned),
            seniority: facts.seniority,
            department: facts.department,
            job_title: facts.job_title,
            email_kind: facts.email_kind,
            joined_on,
            left_on,
            absences,
            ..Member::new(self.id)
        }
    }

    /// Whether any of their memberships exists on `day`.
    #[must_use]
    pub fn exists(&self, day: NaiveDate) -> bool {
        self.memberships.iter().any(|one| one.exists(day))
    }

    /// The union of the memberships' spans.
    fn presence(&self) -> Presence {
        let mut spans: Vec<_> = self.memberships.iter().flat_map(DatedMembership::spans).collect();
        spans.sort_by_key(|(from, until)| (*from, until.unwrap_or(NaiveDate::MAX)));
        let joined_on = self.memberships.iter().map(|one| one.joined_on).min();
        let (mut absences, mut reached) = (Vec::new(), Some(joined_on.unwrap_or(NaiveDate::MIN)));
        for (from, until) in spans {
            let Some(end) = reached else { break };
            if from > end {
                absences.push((end, from));
            }
            reached = until.map(|until| until.max(end));
        }
        Presence { joined_on, left_on: reached, absences }
    }
}

struct Presence {
    joined_on: Option<NaiveDate>,
    left_on: Option<NaiveDate>,
    absences: Vec<(NaiveDate, NaiveDate)>,
}

fn role_rank(role: &str) -> u8 {
    match role {
        "admin" => 3,
        "member" => 2,
        "viewer" => 1,
        _ => 0,
    }
}

fn persona_rank(persona: &str) -> u8 {
    match persona {
        "champion" => 4,
        "economic_buyer" => 3,
        "evaluator" => 2,
        "builder" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn membership(role: &str, joined: &str, left: Option<&str>) -> DatedMembership {
        let part = Part { role: Some(role.to_owned()), persona: None };
        DatedMembership {
            joined_on: day(joined),
            left_on: left.map(day),
            absences: Vec::new(),
            part: Dated::always(part),
        }
    }

    fn person(memberships: Vec<DatedMembership>) -> DatedPerson {
        DatedPerson {
            id: UserId::known("u"),
            external_id: "u".to_owned(),
            facts: Dated::always(PersonFacts::default()),
            memberships,
        }
    }

    #[test]
    fn merged_users_have_the_strongest_role_and_the_earliest_day() {
        let admin = membership("admin", "2026-11-05", None);
        let viewer = membership("viewer", "2026-11-01", None);
        for both in [vec![admin.clone(), viewer.clone()], vec![viewer.clone(), admin.clone()]] {
            let member = person(both).on(day("2026-11-20"));
            assert_eq!(member.role.as_deref(), Some("admin"));
            assert_eq!(member.joined_on, Some(day("2026-11-01")));
        }
        let before = person(vec![admin, viewer]).on(day("2026-11-03"));
        assert_eq!(before.role.as_deref(), Some("viewer"), "the admin joined later");
    }

    #[test]
    fn a_person_who_left_as_admin_and_stays_as_a_member_is_a_member() {
        let both = vec![
            membership("admin", "2026-11-01", Some("2026-11-10")),
            membership("member", "2026-11-04", None),
        ];
        let person = person(both);
        assert_eq!(person.on(day("2026-11-09")).role.as_deref(), Some("admin"));
        let after = person.on(day("2026-11-10"));
        assert_eq!((after.role.as_deref(), after.left_on), (Some("member"), None));
        assert!(after.is_present(day("2026-11-10")));
    }

    #[test]
    fn spans_of_several_memberships_are_joined() {
        let both = vec![
            membership("member", "2026-11-01", Some("2026-11-05")),
            membership("member", "2026-11-08", Some("2026-11-12")),
        ];
        let member = person(both).on(day("2026-11-20"));
        for (on, there) in [
            ("2026-10-31", false),
            ("2026-11-04", true),
            ("2026-11-06", false),
            ("2026-11-08", true),
            ("2026-11-12", false),
        ] {
            assert_eq!(member.is_present(day(on)), there, "{on}");
        }
    }
}
