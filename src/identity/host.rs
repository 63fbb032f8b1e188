//! Host names from outside, read strictly, and the part of them that one owner registered. Pure.
//!
//! The public suffix list says where a registration begins. Two lists of our own complement it: hosts that
//! give every customer a name below theirs (`data/tenant_hosts.txt`, `data/tenant_companies.txt`). Of the
//! names that RFC 2606 reserves, `.example` counts as a suffix, so that documentation, demo and tests have
//! companies; every other suffix that the list does not know belongs to nobody.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use psl::Psl;

use super::script;

/// A fully qualified host name: lower-case ASCII labels of letters, digits and inner hyphens, at least
/// one dot, no final one; never an IP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// Reads a host name and nothing else: no port, no path, no blank. International names become
    /// their ASCII form, one final dot goes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = Uts46::new()
            .to_ascii(
                text.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .ok()?;
        let last = ascii.rsplit_once('.')?.1;
        // `127.0.0.1`, `10.1`, `0x7f.1`: what a resolver takes for a number is no name.
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        (!is_number && ascii.bytes().all(is_plain)).then(|| Self(ascii.into_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that one owner registered (`acme.co.uk` of `mail.acme.co.uk`, `acme.okta.com` of
    /// itself); none for a suffix alone and below suffixes that nobody registers names under.
    #[must_use]
    pub fn registrable(&self) -> Option<&str> {
        let name = self.as_str();
        if let Some(tenant) = tenant(name) {
            return tenant;
        }
        if name.ends_with(".example") {
            return labels(name, 2);
        }
        let domain = psl::List.domain(name.as_bytes())?;
        let suffix = domain.suffix();
        let is_known = suffix.is_known() && !name.ends_with(".onion") && !name.ends_with(".arpa");
        // The public face of a host of tenants is no tenant.
        let is_face =
            suffix.typ() == Some(psl::Type::Private) && domain.as_bytes().starts_with(b"www.");
        // The bytes are the end of the name.
        let start = name.len().checked_sub(domain.as_bytes().len())?;
        (is_known && !is_face).then(|| name.get(start..))?
    }
}

type List = LazyLock<HashSet<&'static str>>;

/// The bare name is nobody's.
static TENANT_HOSTS: List =
    LazyLock::new(|| include_str!("data/tenant_hosts.txt").lines().collect());
/// The bare name is the company's that runs the host.
static TENANT_COMPANIES: List =
    LazyLock::new(|| include_str!("data/tenant_companies.txt").lines().collect());

/// The customer's name at a host that gives one to everybody; `Some(None)`: the bare name of a host that is
/// nobody's. `None`: no such host, or the name of the company that runs it.
fn tenant(name: &str) -> Option<Option<&str>> {
    let mut host = name;
    loop {
        let is_host = TENANT_HOSTS.contains(host);
        if is_host || TENANT_COMPANIES.contains(host) {
            let below = name.strip_suffix(host)?.trim_end_matches('.');
            let label = below.rsplit('.').next().unwrap_or_default();
            let own = !label.is_empty() && label != "www";
            return match own {
                true => Some(labels(name, host.split('.').count().saturating_add(1))),
                false => is_host.then_some(None),
            };
        }
        host = host.split_once('.')?.1;
    }
}

/// The last labels of a name.
fn labels(name: &str, count: usize) -> Option<&str> {
    let start = match name.rmatch_indices('.').nth(count.checked_sub(1)?) {
        Some((dot, _)) => dot.saturating_add(1),
        None => 0,
    };
    name.get(start..)
}

/// A stored host name or address as people read it: in its own script, unless that could pass for another
/// name.
#[must_use]
pub fn shown(ascii: &str) -> Cow<'_, str> {
    if !ascii.contains("xn--") {
        return Cow::Borrowed(ascii);
    }
    let (before, host) = match ascii.rsplit_once('@') {
        Some((name, host)) => (Some(name), host),
        None => (None, ascii),
    };
    let (text, read) = Uts46::new().to_user_interface(
        host.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        |label, suffix, _| script::is_clear(label, suffix),
    );
    match (read, before) {
        (Err(_), _) => Cow::Borrowed(ascii),
        (Ok(()), None) => Cow::Owned(text.into_owned()),
        (Ok(()), Some(name)) => Cow::Owned(format!("{name}@{text}")),
    }
}

/// The inverse of [`shown`] for what people type into a search: a whole host name or address in another script in
/// its stored form, everything else as it is.
#[must_use]
pub fn stored(typed: &str) -> Cow<'_, str> {
    if typed.is_ascii() {
        return Cow::Borrowed(typed);
    }
    let (name, host) = typed.rsplit_once('@').unwrap_or(("", typed));
    match Host::parse(host.trim()) {
        None => Cow::Borrowed(typed),
        Some(host) if name.is_empty() => Cow::Owned(host.0),
        Some(host) => Cow::Owned(format!("{name}@{}", host.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registrable(text: &str) -> Option<String> {
        Host::parse(text)?.registrable().map(str::to_owned)
    }

    #[test]
    fn a_host_name_has_no_other_signs() {
        for text in [
            "",
            ".",
            "..",
            "acme",
            "localhost",
            "acme..com",
            ".acme.com",
            "acme.com..",
            "acme.com;",
            "acme.com)",
            "acme.com,acme2.com",
            "acme.com acme2.com",
            "acme .com",
            "acme_labs.com",
            "acme.com:443",
            "acme.com/x",
            "acme%2ecom",
            "ac%6de.com",
            "-acme.com",
            "acme-.com",
            "acme.com\n",
            "acme\t.com",
            "<acme.com>",
            "\"acme.com\"",
            "'acme.com",
            "acme!.com",
            "acme.c?m",
            "acme#.com",
            "ac*me.com",
            "*.acme.com",
            "acme&co.com",
            "acme+co.com",
            "acme=co.com",
            "ac(me).com",
            "[::1]",
            "::1",
            "127.0.0.1",
            "10.1",
            "0x7f.0x1",
            "1.2.3.04",
            "a@b.com",
            "acme\\.com",
            "acme|x.com",
            "acme~.com",
            "acme`.com",
            "acme^.com",
            "{acme}.com",
            "acme$.com",
            "x\0.com",
            "xn--a.com",
            "\u{202e}moc.emca",
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
        let long = format!("{}.com", "a".repeat(64));
        assert_eq!(Host::parse(&long), None);
        assert_eq!(Host::parse(&"a.".repeat(130)), None);
        for (text, name) in [
            ("Acme.COM", "acme.com"),
            ("acme.com.", "acme.com"),
            ("ａｃｍｅ．ｃｏｍ", "acme.com"),
            ("acme。com", "acme.com"),
            ("Müller.de", "xn--mller-kva.de"),
            ("MU\u{308}LLER.de", "xn--mller-kva.de"),
            ("xn--mller-kva.de", "xn--mller-kva.de"),
            ("a-b--c.example", "a-b--c.example"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), name, "{text}");
        }
    }

    #[test]
    fn what_nobody_registers_belongs_to_nobody() {
        for (text, owner) in [
            ("www.acme.com", Some("acme.com")),
            ("mail.acme.co.uk", Some("acme.co.uk")),
            ("acme.example", Some("acme.example")),
            ("mail.acme.example", Some("acme.example")),
            ("acme.com.example", Some("com.example")),
            ("example.com", Some("example.com")),
            ("münchen.museum", Some("xn--mnchen-3ya.museum")),
            ("пример.рф", Some("xn--e1afmkfd.xn--p1ai")),
            ("co.uk", None),
            ("gmail.con", None),
            ("acme.comm", None),
            ("acme.local", None),
            ("acme.internal", None),
            ("acme.lan", None),
            ("acme.corp", None),
            ("acme.home.arpa", None),
            ("acme.localhost", None),
            ("acme.localdomain", None),
            ("acme.test", None),
            ("acme.invalid", None),
            ("acme.onion", None),
            ("1.168.192.in-addr.arpa", None),
        ] {
            assert_eq!(registrable(text).as_deref(), owner, "{text}");
        }
    }

    #[test]
    fn tenants_of_one_host_stay_apart() {
        for (text, owner) in [
            ("acme.wordpress.com", Some("acme.wordpress.com")),
            ("www.acme.wordpress.com", Some("acme.wordpress.com")),
            ("wordpress.com", None),
            ("www.wordpress.com", None),
            ("tenant.onmicrosoft.com", Some("tenant.onmicrosoft.com")),
            ("tenant.mail.onmicrosoft.com", Some("tenant.mail.onmicrosoft.com")),
            ("onmicrosoft.com", None),
            ("acme.myshopify.com", Some("acme.myshopify.com")),
            ("acme.github.io", Some("acme.github.io")),
            ("github.io", None),
            ("www.github.io", None),
            ("acme.notion.site", Some("acme.notion.site")),
            ("acme.wixsite.com", Some("acme.wixsite.com")),
            ("app.herokuapp.com", Some("app.herokuapp.com")),
            ("app.vercel.app", Some("app.vercel.app")),
            ("acme.okta.com", Some("acme.okta.com")),
            ("okta.com", Some("okta.com")),
            ("www.okta.com", Some("okta.com")),
            ("x.acme.okta.com", Some("acme.okta.com")),
            ("acme.eu.auth0.com", Some("acme.eu.auth0.com")),
            ("acme.atlassian.net", Some("acme.atlassian.net")),
            ("acme.zendesk.com", Some("acme.zendesk.com")),
            ("notokta.com", Some("notokta.com")),
        ] {
            assert_eq!(registrable(text).as_deref(), owner, "{text}");
        }
    }

    #[test]
    fn names_are_shown_in_their_script_unless_they_could_mislead() {
        for (text, seen) in [
            ("müller.de", "müller.de"),
            ("пример.рф", "пример.рф"),
            ("例え.jp", "例え.jp"),
            ("ελλάδα.gr", "ελλάδα.gr"),
            ("acme.com", "acme.com"),
            // Cyrillic letters that look like Latin ones, alone and among Latin ones.
            ("аррӏе.com", "xn--80ak6aa92e.com"),
            ("аcme.com", "xn--cme-5cd.com"),
            ("ɑcme.com", "xn--cme-fsb.com"),
        ] {
            assert_eq!(shown(Host::parse(text).unwrap().as_str()), seen, "{text}");
        }
        assert_eq!(shown("dana@xn--mller-kva.de"), "dana@müller.de");
        assert_eq!(shown("xn--dana@acme.com"), "xn--dana@acme.com");
        assert_eq!(shown("no xn-- name"), "no xn-- name");
        for (typed, searched) in [
            ("müller.de", "xn--mller-kva.de"),
            ("dana@müller.de", "dana@xn--mller-kva.de"),
            ("müller", "müller"),
            ("Müller GmbH", "Müller GmbH"),
            ("acme.com", "acme.com"),
        ] {
            assert_eq!(stored(typed), searched);
        }
    }

    #[test]
    fn the_lists_are_clean() {
        for list in
            [include_str!("data/tenant_hosts.txt"), include_str!("data/tenant_companies.txt")]
        {
            let lines: Vec<_> = list.lines().collect();
            assert!(lines.is_sorted() && lines.len() > 20);
            assert!(
                lines.iter().all(|line| Host::parse(line).is_some_and(|host| host.0 == **line))
            );
        }
        assert!(TENANT_HOSTS.is_disjoint(&TENANT_COMPANIES));
    }

    proptest! {
        #[test]
        fn a_registrable_name_is_a_valid_one(text in "\\PC{0,40}|([a-zA-Z0-9ü._-]{1,12}\\.){1,4}(com|de|co\\.uk|example|okta\\.com|github\\.io|zip)\\.?") {
            if let Some(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(host.as_str()), Some(host.clone()));
                prop_assert_eq!(Host::parse(&shown(host.as_str())), Some(host.clone()));
                if let Some(owner) = host.registrable() {
                    let owner = Host::parse(owner).unwrap();
                    prop_assert_eq!(owner.registrable(), Some(owner.as_str()));
                    prop_assert!(owner.as_str().split('.').all(|label| !label.is_empty()
                        && label.len() <= 63
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
                }
            }
        }
    }
}
