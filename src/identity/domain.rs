//! What an e-mail address says about a company: its domain, and whether that domain may stand for one.
//!
//! Used by lead-to-account matching (`spec/ingest.md`) and by the field `email_kind`
//! (`spec/signals.md`). Where the lists come from: `data/README.md`.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// What an address is, by its domain and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// A person at a domain of their own organisation.
    Corporate,
    /// A mailbox at a provider where anybody gets one.
    Personal,
    /// A mailbox made to be thrown away.
    Disposable,
    /// A shared inbox of an organisation (info@, billing@): nobody in particular.
    Role,
    /// No address, or one whose domain cannot be registered (localhost, an IP address).
    Unknown,
}

impl EmailKind {
    /// The name in conditions, filters and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Corporate => "corporate",
            Self::Personal => "personal",
            Self::Disposable => "disposable",
            Self::Role => "role",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of whatever stands in an e-mail field.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Email::parse(text).map_or(Self::Unknown, |email| email.kind)
    }
}

/// An address, normalised so that equal people compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email {
    /// Lower case, the domain in its ASCII form. Plus-tags stay: they may be different people.
    pub address: String,
    /// What follows the `@`.
    pub domain: String,
    /// The part of the domain that somebody registered (`acme.co.uk`), by the public suffix list; none
    /// for an IP address or a single label.
    pub registrable: Option<String>,
    /// What it is.
    pub kind: EmailKind,
}

impl Email {
    /// Reads an address; none when it is no address at all. White space around it is left away, a
    /// display name is not understood.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, domain) = text.trim().rsplit_once('@')?;
        let sound = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;@\"".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(sound) {
            return None;
        }
        let domain = host(domain)?;
        let name = name.to_lowercase();
        let registrable = registrable(&domain);
        let kind = match &registrable {
            None => EmailKind::Unknown,
            Some(owner) if listed(&DISPOSABLE, &domain, owner) => EmailKind::Disposable,
            Some(owner) if listed(&FREE_MAIL, &domain, owner) => EmailKind::Personal,
            Some(_) if is_role(&name) => EmailKind::Role,
            Some(_) => EmailKind::Corporate,
        };
        Some(Self { address: format!("{name}@{domain}"), domain, registrable, kind })
    }

    /// Some mailbox at a domain: for senders that keep addresses back and tell only the domain.
    #[must_use]
    pub fn somewhere_at(domain: &str) -> Option<Self> {
        Self::parse(&format!("somebody@{}", domain.trim()))
    }

    /// The domain by which the address may be matched to an account: the registrable one of an
    /// organisation's address (a role address included), none for free mail and throw-away mail.
    #[must_use]
    pub fn company_domain(&self) -> Option<&str> {
        match self.kind {
            EmailKind::Corporate | EmailKind::Role => self.registrable.as_deref(),
            EmailKind::Personal | EmailKind::Disposable | EmailKind::Unknown => None,
        }
    }
}

/// The registrable domain of a website or a bare domain as people write it
/// (`https://www.acme.example/about`, `Acme.example`); none for free-mail providers, throw-away mail,
/// IP addresses and whatever is no domain.
#[must_use]
pub fn company_domain_of_website(text: &str) -> Option<String> {
    let text = text.trim();
    let with_scheme =
        if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url =
        Url::parse(&with_scheme).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let domain = host(url.host_str()?)?;
    let owner = registrable(&domain)?;
    let nobodys = listed(&DISPOSABLE, &domain, &owner) || listed(&FREE_MAIL, &domain, &owner);
    (!nobodys).then_some(owner)
}

/// A domain name in lower-case ASCII, without a final dot.
fn host(text: &str) -> Option<String> {
    match Host::parse(text.strip_suffix('.').unwrap_or(text)).ok()? {
        Host::Domain(domain) if !domain.is_empty() && domain.len() <= 253 => Some(domain),
        _ => None,
    }
}

fn registrable(domain: &str) -> Option<String> {
    let known = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    known.then(|| psl::domain_str(domain))?.map(str::to_owned)
}

type List = LazyLock<HashSet<&'static str>>;

static FREE_MAIL: List = LazyLock::new(|| include_str!("data/free_mail.txt").lines().collect());
static DISPOSABLE: List = LazyLock::new(|| include_str!("data/disposable.txt").lines().collect());

/// The domain or one above it stands on the list, down to the registrable one; providers whose domain
/// is itself a public suffix have entries below it.
fn listed(list: &List, domain: &str, registrable: &str) -> bool {
    let mut name = domain;
    loop {
        if list.contains(name) {
            return true;
        }
        match name.split_once('.') {
            Some((_, above)) if above.len() >= registrable.len() => name = above,
            _ => return false,
        }
    }
}

fn is_role(name: &str) -> bool {
    const ROLES: [&str; 64] = [
        "abuse",
        "accounting",
        "accounts",
        "admin",
        "administrator",
        "all",
        "billing",
        "booking",
        "careers",
        "compliance",
        "contact",
        "contactus",
        "customerservice",
        "devops",
        "donotreply",
        "enquiries",
        "everyone",
        "feedback",
        "finance",
        "hello",
        "help",
        "helpdesk",
        "hostmaster",
        "hr",
        "info",
        "information",
        "inquiries",
        "invoice",
        "invoices",
        "it",
        "jobs",
        "legal",
        "mail",
        "mailbox",
        "marketing",
        "media",
        "newsletter",
        "noreply",
        "notifications",
        "office",
        "operations",
        "ops",
        "orders",
        "payments",
        "people",
        "postmaster",
        "press",
        "privacy",
        "procurement",
        "purchasing",
        "reception",
        "recruiting",
        "recruitment",
        "root",
        "sales",
        "security",
        "service",
        "services",
        "staff",
        "support",
        "sysadmin",
        "team",
        "webmaster",
        "welcome",
    ];
    let name = name.split_once('+').map_or(name, |(name, _)| name).replace(['-', '_', '.'], "");
    ROLES.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_normalised_and_keep_their_plus_tags() {
        let email = Email::parse(" Dana.Ops+cap@Mail.Acme.co.UK. ").unwrap();
        assert_eq!(email.address, "dana.ops+cap@mail.acme.co.uk");
        assert_eq!(email.domain, "mail.acme.co.uk");
        assert_eq!(email.registrable.as_deref(), Some("acme.co.uk"));
        assert_eq!(
            (email.kind, email.company_domain()),
            (EmailKind::Corporate, Some("acme.co.uk"))
        );
        assert_eq!(Email::parse("ü@Bücher.de").unwrap().address, "ü@xn--bcher-kva.de");
        for text in
            ["", "@", "a", "a@", "@b.de", "a b@c.de", "a@b@c.de", "A <a@b.de>", "a@b c", "a@[::1]"]
        {
            assert_eq!(Email::parse(text), None, "{text}");
            assert_eq!(EmailKind::of(text), EmailKind::Unknown);
        }
    }

    #[test]
    fn kinds_go_by_the_lists_and_the_name() {
        for (address, kind) in [
            ("a@acme.com", EmailKind::Corporate),
            ("a@example.com", EmailKind::Corporate),
            ("a@acme-web.example", EmailKind::Corporate),
            ("a@nyu.edu", EmailKind::Corporate),
            ("a@gmail.com", EmailKind::Personal),
            ("info@gmail.com", EmailKind::Personal),
            ("a@hey.com", EmailKind::Personal),
            ("a@tutanota.com", EmailKind::Personal),
            ("a@mail.web.de", EmailKind::Personal),
            ("a@mailinator.com", EmailKind::Disposable),
            ("a@x.yopmail.com", EmailKind::Disposable),
            ("Info@acme.com", EmailKind::Role),
            ("no-reply+7@acme.com", EmailKind::Role),
            ("informal@acme.com", EmailKind::Corporate),
            ("a@localhost", EmailKind::Unknown),
            ("a@co.uk", EmailKind::Unknown),
            ("a@127.0.0.1", EmailKind::Unknown),
        ] {
            assert_eq!(EmailKind::of(address), kind, "{address}");
        }
        assert_eq!(Email::parse("info@acme.com").unwrap().company_domain(), Some("acme.com"));
        assert_eq!(Email::parse("a@gmail.com").unwrap().company_domain(), None);
    }

    #[test]
    fn websites_give_the_company_and_providers_do_not() {
        for (text, domain) in [
            ("https://www.acme.example/about", Some("acme.example")),
            (" Acme.co.uk ", Some("acme.co.uk")),
            ("acme.com:8080/x?y", Some("acme.com")),
            ("gmail.com", None),
            ("https://10.0.0.1/", None),
            ("localhost", None),
            ("ftp://acme.com", None),
            ("", None),
        ] {
            assert_eq!(company_domain_of_website(text).as_deref(), domain, "{text}");
        }
    }

    #[test]
    fn the_lists_are_clean() {
        for list in [include_str!("data/free_mail.txt"), include_str!("data/disposable.txt")] {
            let lines: Vec<_> = list.lines().collect();
            assert!(lines.is_sorted() && lines.len() > 100);
            assert!(lines.iter().all(|line| host(line).as_deref() == Some(line)));
            assert!(
                !lines.iter().any(|line| line.ends_with("example") || line.contains("example."))
            );
        }
    }

    #[test]
    fn the_roles_are_sorted() {
        for role in ["abuse", "info", "ops", "support", "welcome"] {
            assert!(is_role(role), "{role}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_settled(text in "\\PC{0,20}@?\\PC{0,30}") {
            if let Some(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(&email.address), Some(email));
            }
            let _ = company_domain_of_website(&text);
        }
    }
}
