//! What an e-mail address or a website says about a company: its domain, and whether that domain may stand
//! for one.
//!
//! Used by lead-to-account matching (`spec/ingest.md`) and by the field `email_kind`
//! (`spec/signals.md`). Every door reads addresses and domains by these functions: events, traits, records,
//! files and forms. Where the lists come from: `data/README.md`.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::address;
use super::host::Host;

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
    /// No address, or one whose domain nobody registers (localhost, `gmail.con`, a bare suffix).
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
    /// The part of the domain that somebody registered (`acme.co.uk`), see [`Host::registrable`].
    pub registrable: Option<String>,
    /// What it is.
    pub kind: EmailKind,
}

impl Email {
    /// Reads an address; none when it is no address at all. What is around it (blanks, a display name,
    /// `mailto:`, brackets, punctuation) goes, see [`address::read`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, host) = address::read(text)?;
        Some(Self::at(&name, &host))
    }

    fn at(name: &str, host: &Host) -> Self {
        let registrable = host.registrable().map(str::to_owned);
        let domain = host.as_str().to_owned();
        let kind = match &registrable {
            None => EmailKind::Unknown,
            Some(owner) if listed(&DISPOSABLE, &domain, owner) => EmailKind::Disposable,
            Some(owner) if is_free_mail(&domain, owner) => EmailKind::Personal,
            Some(_) if is_role(name) => EmailKind::Role,
            Some(_) => EmailKind::Corporate,
        };
        Self { address: format!("{name}@{domain}"), domain, registrable, kind }
    }

    /// Some mailbox at a domain: for senders that keep addresses back and tell only the domain.
    #[must_use]
    pub fn somewhere_at(domain: &str) -> Option<Self> {
        let (host, has_path) = address::read_site(domain)?;
        (!has_path).then(|| Self::at("somebody", &host))
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

/// The registrable domain of a company's website as people write it (`https://www.acme.example/about`,
/// `Acme.example`); none for profiles and pages at hosts that everybody uses (`linkedin.com/company/acme`),
/// for free-mail providers, throw-away mail, IP addresses and whatever is no website.
#[must_use]
pub fn company_domain_of_website(text: &str) -> Option<String> {
    let (host, _) = address::read_site(text)?;
    let owner = host.registrable()?;
    (!is_profile_host(host.as_str(), owner)).then(|| of_company(&host, owner))?
}

/// The registrable domain that a field for domains holds: as [`company_domain_of_website`], but the name of a
/// profile host alone (`github.com`) is the company that runs it, and an address gives its domain.
#[must_use]
pub fn company_domain(text: &str) -> Option<String> {
    if let Some(email) = Email::parse(text) {
        return email.company_domain().map(str::to_owned);
    }
    let (host, has_path) = address::read_site(text)?;
    let owner = host.registrable()?;
    let name = host.as_str();
    let is_whole = name == owner || name.strip_prefix("www.") == Some(owner);
    let is_page = is_profile_host(name, owner) && (has_path || !is_whole);
    (!is_page).then(|| of_company(&host, owner))?
}

fn of_company(host: &Host, owner: &str) -> Option<String> {
    let nobodys = listed(&DISPOSABLE, host.as_str(), owner) || is_free_mail(host.as_str(), owner);
    (!nobodys).then(|| owner.to_owned())
}

type List = LazyLock<HashSet<&'static str>>;

static FREE_MAIL: List = LazyLock::new(|| include_str!("data/free_mail.txt").lines().collect());
static DISPOSABLE: List = LazyLock::new(|| include_str!("data/disposable.txt").lines().collect());
static ROLES: List = LazyLock::new(|| include_str!("data/roles.txt").lines().collect());
/// Hosts of profiles and pages; `google.*` is google under every suffix.
static PROFILES: List = LazyLock::new(|| include_str!("data/profile_hosts.txt").lines().collect());

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

fn is_profile_host(domain: &str, registrable: &str) -> bool {
    let label = registrable.split('.').next().unwrap_or_default();
    listed(&PROFILES, domain, registrable) || PROFILES.contains(format!("{label}.*").as_str())
}

/// By the list, or by the name of a great provider under whatever suffix, as it is spelled and misspelled.
fn is_free_mail(domain: &str, registrable: &str) -> bool {
    const PROVIDERS: [&str; 26] = [
        "aol",
        "gamil",
        "gmai",
        "gmail",
        "gmaill",
        "gmal",
        "gmial",
        "gmx",
        "gnail",
        "googlemail",
        "hotmai",
        "hotmail",
        "hotmal",
        "hotmial",
        "icloud",
        "outlok",
        "outlook",
        "proton",
        "protonmail",
        "rocketmail",
        "yaho",
        "yahoo",
        "yahooo",
        "yandex",
        "yhoo",
        "ymail",
    ];
    let label = registrable.split('.').next().unwrap_or_default();
    listed(&FREE_MAIL, domain, registrable) || PROVIDERS.binary_search(&label).is_ok()
}

/// A name that stands for an office (`info`, `no-reply`), whatever separators it is written with.
fn is_role(name: &str) -> bool {
    let name = name.split_once('+').map_or(name, |(name, _)| name).replace(['-', '_', '.'], "");
    ROLES.contains(name.as_str())
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
        for text in ["", "@", "a", "a@b c", "a@[::1]", "a@127.0.0.1", "a@localhost"] {
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
            ("mailto:dana@acme.example", EmailKind::Corporate),
            ("a@nyu.edu", EmailKind::Corporate),
            ("a@github.com", EmailKind::Corporate),
            ("a@tenant.onmicrosoft.com", EmailKind::Corporate),
            ("a@gmail.com", EmailKind::Personal),
            ("ann@gmail.com;", EmailKind::Personal),
            ("ann@gmail.com)", EmailKind::Personal),
            ("Ann <ann@gmail.com>", EmailKind::Personal),
            ("a@gmail.cm", EmailKind::Personal),
            ("a@gmail.co", EmailKind::Personal),
            ("a@gmial.com", EmailKind::Personal),
            ("a@yahoo.xyz", EmailKind::Personal),
            ("info@gmail.com", EmailKind::Personal),
            ("a@hey.com", EmailKind::Personal),
            ("a@tutanota.com", EmailKind::Personal),
            ("a@mail.web.de", EmailKind::Personal),
            ("a@mailinator.com", EmailKind::Disposable),
            ("a@x.yopmail.com", EmailKind::Disposable),
            ("Info@acme.com", EmailKind::Role),
            ("no-reply+7@acme.com", EmailKind::Role),
            ("informal@acme.com", EmailKind::Corporate),
            ("a@gmail.con", EmailKind::Unknown),
            ("a@acme.local", EmailKind::Unknown),
            ("a@corp.internal", EmailKind::Unknown),
            ("a@co.uk", EmailKind::Unknown),
            ("a@onmicrosoft.com", EmailKind::Unknown),
            ("a@acme.example,acme2.example", EmailKind::Unknown),
        ] {
            assert_eq!(EmailKind::of(address), kind, "{address}");
        }
        let of = |text: &str| Email::parse(text).unwrap().company_domain().map(str::to_owned);
        assert_eq!(of("info@acme.com").as_deref(), Some("acme.com"));
        assert_eq!(of("a@t1.onmicrosoft.com").as_deref(), Some("t1.onmicrosoft.com"));
        assert_eq!(of("a@gmail.com"), None);
        assert_eq!(Email::somewhere_at("acme.example,acme2.example"), None);
        assert_eq!(
            Email::somewhere_at(" Mail.Acme.com. ").unwrap().address,
            "somebody@mail.acme.com"
        );
    }

    #[test]
    fn websites_give_the_company_and_shared_hosts_do_not() {
        for (text, domain) in [
            ("https://www.acme.example/about", Some("acme.example")),
            (" Acme.co.uk ", Some("acme.co.uk")),
            ("acme.com:8080/x?y", Some("acme.com")),
            ("https://müller.de", Some("xn--mller-kva.de")),
            ("acme.example,acme2.example", None),
            ("gmail.com", None),
            ("gmail.con", None),
            ("acme.local", None),
            ("https://10.0.0.1/", None),
            ("localhost", None),
            ("ftp://acme.com", None),
            ("", None),
            ("https://www.linkedin.com/company/acme", None),
            ("de.linkedin.com/company/acme", None),
            ("linkedin.com", None),
            ("https://github.com/acme", None),
            ("https://m.facebook.com/acme", None),
            ("facebook.com/acme", None),
            ("https://x.com/acme", None),
            ("twitter.com/acme", None),
            ("https://www.instagram.com/acme/", None),
            ("https://www.crunchbase.com/organization/acme", None),
            ("https://www.youtube.com/@acme", None),
            ("https://sites.google.com/view/acme", None),
            ("https://sites.google.com/acme.example/home", None),
            ("https://www.google.de/maps/place/acme", None),
            ("https://apps.apple.com/app/acme/id1", None),
            ("https://linktr.ee/acme", None),
            ("https://t.me/acme", None),
            ("https://medium.com/@acme", None),
            ("https://www.notion.so/acme/x", None),
            ("https://www.amazon.co.uk/stores/acme", None),
            ("wordpress.com/acme", None),
            ("https://acme.wordpress.com", Some("acme.wordpress.com")),
            ("https://acme.myshopify.com/", Some("acme.myshopify.com")),
            ("https://acme.github.io/site", Some("acme.github.io")),
            ("https://acme.notion.site/Home-1", Some("acme.notion.site")),
            ("https://apple.com", Some("apple.com")),
        ] {
            assert_eq!(company_domain_of_website(text).as_deref(), domain, "{text}");
        }
    }

    #[test]
    fn a_field_for_domains_takes_the_name_alone_and_addresses() {
        for (text, domain) in [
            ("acme.com", Some("acme.com")),
            ("@acme.com", Some("acme.com")),
            ("*.acme.com", Some("acme.com")),
            ("https://www.acme.com/x", Some("acme.com")),
            ("dana@acme.example", Some("acme.example")),
            ("mailto:dana@acme.example", Some("acme.example")),
            ("dana@gmail.com", None),
            ("github.com", Some("github.com")),
            ("www.github.com", Some("github.com")),
            ("github.com/acme", None),
            ("sites.google.com", None),
            ("acme.okta.com", Some("acme.okta.com")),
            ("okta.com", Some("okta.com")),
            ("onmicrosoft.com", None),
            ("gmail.com", None),
            ("acme.example,acme2.example", None),
            ("acme.example;acme2.example", None),
            ("acme.com (old)", None),
            ("n/a", None),
        ] {
            assert_eq!(company_domain(text).as_deref(), domain, "{text}");
        }
    }

    #[test]
    fn the_lists_are_clean() {
        for list in [
            include_str!("data/free_mail.txt"),
            include_str!("data/disposable.txt"),
            include_str!("data/profile_hosts.txt"),
        ] {
            let lines: Vec<_> = list.lines().collect();
            assert!(lines.is_sorted() && lines.len() > 100);
            let plain = |line: &str| {
                line.strip_suffix(".*").map_or(line.to_owned(), |name| format!("{name}.com"))
            };
            for line in lines {
                let name = plain(line);
                assert_eq!(Host::parse(&name).map(|host| host.as_str().to_owned()), Some(name));
                assert!(!line.ends_with("example") && !line.contains("example."));
            }
        }
    }

    #[test]
    fn roles_and_providers_are_found() {
        for role in ["abuse", "info", "ops", "support", "welcome"] {
            assert!(is_role(role), "{role}");
        }
        for domain in ["aol.example", "gmx.example", "proton.example", "ymail.example"] {
            assert!(is_free_mail(domain, domain), "{domain}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_settled(text in "\\PC{0,20}@?\\PC{0,30}|(https?://)?[a-z.@/:*,]{1,20}\\.(com|example|github\\.io)[/.,)]{0,2}[a-z]{0,3}") {
            if let Some(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(&email.address), Some(email));
            }
            for domain in [company_domain_of_website(&text), company_domain(&text)].into_iter().flatten() {
                prop_assert_eq!(company_domain(&domain), Some(domain.clone()));
                let host = Host::parse(&domain).unwrap();
                prop_assert_eq!(host.registrable(), Some(domain.as_str()));
            }
        }
    }
}
