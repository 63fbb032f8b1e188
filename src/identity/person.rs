//! A person in the product: known by a user id, or an anonymous visitor.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::heard::address_of_id;
use super::stitch::Claim;
use super::title;
use crate::identity::domain::Email;
use crate::ids::UserId;
use crate::ingest::moment::Moment;
use crate::ingest::traits::Traits;

/// What the traits of a person say, in the words of the signal dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the signal dictionary")]
pub struct Facts {
    pub email: Option<String>,
    pub email_kind: &'static str,
    /// The registrable domain of the e-mail; none when there is no usable e-mail.
    pub domain: Option<String>,
    pub name: Option<String>,
    pub job_title: Option<String>,
    pub seniority: Option<String>,
    pub department: Option<String>,
}

/// A person and all that is stored about them.
#[derive(Clone, Debug)]
pub struct Person {
    /// Made of kind and external id.
    pub id: UserId,
    /// A user rather than an anonymous visitor.
    pub known: bool,
    /// The product's id.
    pub external_id: String,
    /// Who they turned out to be: by a call for an anonymous visitor, by a person's judgement for a
    /// known user.
    pub link: Option<Claim>,
    /// Where following the links ends: themselves when they are nobody else.
    pub canonical: UserId,
    /// What was said about them.
    pub traits: Traits,
    /// The oldest event.
    pub first_seen_at: DateTime<Utc>,
    /// The newest event.
    pub last_seen_at: DateTime<Utc>,
}

impl Person {
    /// Somebody first heard of at `at`.
    #[must_use]
    pub fn new(id: UserId, known: bool, external_id: &str, at: DateTime<Utc>) -> Self {
        Self {
            id,
            known,
            external_id: external_id.to_owned(),
            link: None,
            canonical: id,
            traits: Traits::default(),
            first_seen_at: at,
            last_seen_at: at,
        }
    }

    /// Notes an event at `at`; tells whether that widened the span in which the person was seen.
    pub fn seen(&mut self, at: DateTime<Utc>) -> bool {
        let before = (self.first_seen_at, self.last_seen_at);
        self.first_seen_at = self.first_seen_at.min(at);
        self.last_seen_at = self.last_seen_at.max(at);
        before != (self.first_seen_at, self.last_seen_at)
    }

    /// The current e-mail and what the product says about its being verified.
    #[must_use]
    pub fn mailbox(&self) -> Option<(String, Option<bool>)> {
        Some((self.email()?.address, self.traits.flag(&["email_verified"])))
    }

    /// The address of the trait; where no trait holds one, the user id if that is an address. A product that
    /// cleared the trait says that there is none.
    fn email(&self) -> Option<Email> {
        let said = self.traits.text(&["email"]).and_then(|text| Email::parse(&text));
        let is_cleared =
            self.traits.times.contains_key("email") && !self.traits.values.contains_key("email");
        said.or_else(|| {
            Some(&self.external_id)
                .filter(|_| self.known && !is_cleared)
                .and_then(|id| address_of_id(id))
        })
    }

    /// The company's domain of a user id that is an address, where that is the current e-mail.
    #[must_use]
    pub fn company_domain_of_id(&self) -> Option<String> {
        let email = address_of_id(&self.external_id).filter(|_| self.known)?;
        let domain = email.company_domain()?.to_owned();
        (self.email()? == email).then_some(domain)
    }

    /// The company's domain of the current e-mail.
    #[must_use]
    pub fn company_domain(&self) -> Option<String> {
        self.email()?.company_domain().map(str::to_owned)
    }

    /// What the person's traits say of their company, each with its time.
    #[must_use]
    pub fn company_traits(&self) -> Vec<(Moment, Map<String, Value>)> {
        self.traits
            .values
            .iter()
            .filter_map(|(name, value)| {
                let member = name.strip_prefix("company_").filter(|member| *member != "id")?;
                let said = Map::from_iter([(member.to_owned(), value.clone())]);
                Some((self.traits.moment(name)?, said))
            })
            .collect()
    }

    /// What the traits say.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let email = self.email();
        // Imports may keep addresses back and send only the domain; its kind is that of any mailbox.
        let mailbox =
            email.clone().or_else(|| Email::somewhere_at(&self.traits.text(&["email_domain"])?));
        let job_title = self.traits.text(&["title"]);
        let whole = || {
            let parts: Vec<String> = [["first_name"], ["last_name"]]
                .iter()
                .filter_map(|name| self.traits.text(name))
                .collect();
            Some(parts.join(" ")).filter(|name| !name.is_empty())
        };
        Facts {
            email_kind: mailbox.as_ref().map_or("unknown", |mailbox| mailbox.kind.as_str()),
            domain: mailbox.and_then(|mailbox| mailbox.registrable),
            name: self.traits.text(&["name"]).or_else(whole),
            seniority: self
                .traits
                .text(&["seniority"])
                .filter(|said| SENIORITIES.contains(&said.as_str()))
                .or_else(|| title::seniority(job_title.as_deref()?).map(str::to_owned)),
            department: self
                .traits
                .text(&["department"])
                .map(|said| said.to_lowercase())
                .or_else(|| title::department(job_title.as_deref()?).map(str::to_owned)),
            email: email.map(|email| email.address),
            job_title,
        }
    }
}

/// The traits of a person that scores read, which is why their history is kept: those of
/// [`Person::facts`] without the name.
pub const DATED: [&str; 5] = ["email", "email_domain", "title", "seniority", "department"];

/// What is said of the traits whose history is kept.
#[must_use]
pub fn dated(said: &Map<String, Value>) -> Map<String, Value> {
    let kept = said.iter().filter(|(name, _)| DATED.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

const SENIORITIES: [&str; 6] = ["student", "ic", "manager", "director", "vp", "c_level"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_domain_without_an_address_tells_the_company() {
        let facts_of = |domain: &str| {
            let mut user = Person::new(UserId::known("u"), true, "u", at(1));
            user.traits.say_all(json!({"email_domain": domain}).as_object().unwrap(), at(1));
            user.facts()
        };
        let facts = facts_of("mail.acme.com");
        assert_eq!(facts.email, None);
        assert_eq!((facts.email_kind, facts.domain.as_deref()), ("corporate", Some("acme.com")));
        assert_eq!(facts_of("gmail.com").email_kind, "personal");
    }

    #[test]
    fn the_mailbox_is_the_current_one() {
        let mut user = Person::new(UserId::known("u"), true, "u", at(1));
        assert_eq!(user.mailbox(), None);
        let said = json!({"email": "D@Acme.com", "emailVerified": "true"});
        user.traits.say_all(said.as_object().unwrap(), at(1));
        assert_eq!(user.mailbox(), Some(("d@acme.com".to_owned(), Some(true))));
    }

    #[test]
    fn facts_come_from_traits() {
        let mut user = Person::new(UserId::known("u"), true, "u", at(1));
        let said = json!({"email": "Dana.Ops+x@Acme.com ", "firstName": "Dana", "lastName": "Öps", "title": "VP Engineering"});
        user.traits.say_all(said.as_object().unwrap(), at(1));
        let facts = user.facts();
        assert_eq!(facts.email.as_deref(), Some("dana.ops+x@acme.com"));
        assert_eq!((facts.email_kind, facts.domain.as_deref()), ("corporate", Some("acme.com")));
        assert_eq!(facts.name.as_deref(), Some("Dana Öps"));
        assert_eq!(
            (facts.seniority.as_deref(), facts.department.as_deref()),
            (Some("vp"), Some("engineering"))
        );
    }
}
