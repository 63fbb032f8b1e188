//! E-mail addresses and host names as people and programs write them, read into their parts. Pure.
//!
//! What is around an address goes where it can mean nothing else: blanks and invisible signs, `mailto:`, a
//! display name, brackets, quotes, punctuation at the ends. Everything else that an address cannot hold makes
//! it none, and nothing is guessed.

use super::host::Host;

/// The longest local part and the longest address, in bytes (RFC 5321).
const LONGEST_NAME: usize = 64;
const LONGEST: usize = 254;

/// Signs around a text that are no part of it.
const OPENING: &[char] =
    &['(', '<', '[', '{', '"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»', ',', ';', ':', '|'];
const CLOSING: &[char] = &[
    ')', '>', ']', '}', '"', '\'', '`', '“', '”', '‘', '’', '«', '»', ',', ';', ':', '|', '.', '!',
    '?', '…',
];

/// The local part, in lower case, and the host of the one address in a text.
#[must_use]
pub fn read(text: &str) -> Option<(String, Host)> {
    let text = plain(text);
    let mut rest = text.as_str();
    let mut decoded = None;
    loop {
        let before = rest;
        rest = stripped(bare(rest));
        if let Some(link) = after_scheme(rest, &["mailto:"]) {
            // The one form in which signs are escaped and a subject may follow.
            let address = link.split('?').next().unwrap_or_default();
            decoded = Some(percent_decoded(address)?);
            break;
        }
        rest = after_scheme(rest, &["smtp:", "email:", "e-mail:"]).unwrap_or(rest);
        if rest == before {
            break;
        }
    }
    let rest = decoded.as_deref().map_or(rest, stripped);
    let (name, host) = rest.split_once('@')?;
    let name = name.to_lowercase();
    let host = Host::parse(host)?;
    let fits = name.len() <= LONGEST_NAME
        && name.len().saturating_add(host.as_str().len()) < LONGEST
        && is_local_part(&name);
    fits.then_some((name, host))
}

/// The host of a website or a bare domain, and whether anything follows it. `http` and `https` alone; a port
/// is left away; whatever has a user name is none.
#[must_use]
pub fn read_site(text: &str) -> Option<(Host, bool)> {
    let text = plain(text);
    let rest = stripped(&text);
    let rest = after_scheme(rest, &["http://", "https://", "//"]).unwrap_or(rest);
    let (place, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let place = match place.rsplit_once(':') {
        Some((host, port)) if port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => place,
    };
    // `@acme.com` and `*.acme.com` are how lists of sign-on domains write them.
    let place = place.strip_prefix(['@', '.']).or(place.strip_prefix("*.")).unwrap_or(place);
    Some((Host::parse(place)?, !path.trim_matches('/').is_empty()))
}

/// The text in plain signs: full-width ones as ASCII, without those that nobody sees.
fn plain(text: &str) -> String {
    let is_invisible = |c: char| {
        matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let ascii = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
        }
        '\u{fe6b}' => '@',
        '\u{3002}' | '\u{ff61}' => '.',
        _ => c,
    };
    text.chars().filter(|c| !is_invisible(*c)).map(ascii).collect()
}

/// Without a display name before angle brackets, or a comment in brackets behind.
fn bare(text: &str) -> &str {
    let text = text.trim().trim_end_matches([',', ';', '.']).trim_end();
    let inside = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    if let Some((_, address)) = inside {
        return address;
    }
    match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((address, comment)) if address.contains('@') && !comment.contains('@') => address,
        _ => text,
    }
}

fn stripped(text: &str) -> &str {
    let is_around = |signs: &'static [char]| {
        move |c: char| c.is_whitespace() || c.is_control() || signs.contains(&c)
    };
    text.trim_start_matches(is_around(OPENING)).trim_end_matches(is_around(CLOSING))
}

fn after_scheme<'a>(text: &'a str, schemes: &[&str]) -> Option<&'a str> {
    schemes.iter().find_map(|scheme| {
        let is_it = text.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        is_it.then(|| text.get(scheme.len()..))?
    })
}

/// `dana%2Bx@acme.com` as `dana+x@acme.com`; none for escapes of anything but plain signs.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok().filter(u8::is_ascii_graphic)?;
        decoded.push(char::from(byte));
        decoded.push_str(part.get(2..)?);
    }
    Some(decoded)
}

/// Letters, digits and the signs of RFC 5322 but `%`, which mail servers took for a second `@`; dots between.
fn is_local_part(name: &str) -> bool {
    let is_sound = |c: char| match c {
        '.' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$&'*+-/=?^_`{|}~".contains(c),
        // Marks above and below a letter.
        '\u{300}'..='\u{36f}' => true,
        c => c.is_alphanumeric(),
    };
    // What stands at its start is an opening sign, which reading again would take away.
    !name.starts_with(OPENING)
        && name.chars().all(is_sound)
        && name.split('.').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Option<String> {
        read(text).map(|(name, host)| format!("{name}@{}", host.as_str()))
    }

    #[test]
    fn what_is_around_an_address_goes() {
        for text in [
            "ann@acme.com",
            " ANN@Acme.Com\t\n",
            "\u{feff}ann@acme.com\u{200b}",
            "an\u{ad}n@ac\u{200b}me.com",
            "ann@acme.com;",
            "ann@acme.com)",
            "ann@acme.com,",
            "ann@acme.com.",
            "ann@acme.com...",
            "ann@acme.com!",
            "(ann@acme.com)",
            "<ann@acme.com>",
            "<ann@acme.com>;",
            "[ann@acme.com]",
            "'ann@acme.com'",
            "\"ann@acme.com\"",
            "“ann@acme.com”",
            "«ann@acme.com»",
            "`ann@acme.com`",
            "\u{a0}ann@acme.com\u{3000}",
            "mailto:ann@acme.com",
            "MailTo:Ann@acme.com?subject=Hi&cc=bob@x.org",
            "<mailto:ann@acme.com>",
            "mailto: <ann@acme.com>",
            "SMTP:ann@acme.com",
            "E-Mail: ann@acme.com",
            "\"Ann\" <ann@acme.com>",
            "Ann Lee <ann@acme.com>",
            "\"Lee, Ann (Ops)\" <ann@acme.com>",
            "ann@acme.com <ann@acme.com>",
            "ann@acme.com (Ann Lee)",
            "ann＠acme.com",
            "ａｎｎ＠ａｃｍｅ．ｃｏｍ",
            "ann@acme。com",
        ] {
            assert_eq!(address(text).as_deref(), Some("ann@acme.com"), "{text:?}");
        }
        for (text, kept) in [
            ("mailto:ann%2Bops@acme.com", "ann+ops@acme.com"),
            ("Dana.Ops+cap@Mail.Acme.co.UK.", "dana.ops+cap@mail.acme.co.uk"),
            ("o'brien@acme.com", "o'brien@acme.com"),
            ("ü@Bücher.de", "ü@xn--bcher-kva.de"),
            ("x@ACME-labs.Example", "x@acme-labs.example"),
        ] {
            assert_eq!(address(text).as_deref(), Some(kept), "{text:?}");
        }
    }

    #[test]
    fn what_may_mean_something_else_is_no_address() {
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@acme.com",
            "ann@acme",
            "ann@localhost",
            "ann@@acme.com",
            "a@b@acme.com",
            "ann@acme.com,bob@acme.com",
            "ann@acme.com;bob@acme.com",
            "ann@acme.com bob@acme.com",
            "ann@acme.com/bob@acme.com",
            "ann@acme.example,acme2.example",
            "ann@acme,com",
            "ann@acme..com",
            "ann@.acme.com",
            "ann@-acme.com",
            "ann@acme_labs.com",
            "ann@acme.com:25",
            "ann@acme.com/path",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "ann@[::1]",
            "ann @acme.com",
            "ann@ acme.com",
            "ann@acme .com",
            "ann lee@acme.com",
            "ann%acme.com@evil.com",
            "ann%40acme.com",
            "ann@acme%2ecom",
            "mailto:ann%00@acme.com",
            "mailto:ann%zz@acme.com",
            "\"ann lee\"@acme.com",
            "ann\\@acme.com",
            "ann(x)@acme.com",
            "<ann>@acme.com",
            ".ann@acme.com",
            "ann.@acme.com",
            "a..n@acme.com",
            "ann at acme.com",
            "ann[at]acme[dot]com",
            "https://ann@acme.com",
            "a\0b@acme.com",
            "ann@acme.com\r\nBcc: x@y.com",
        ] {
            assert_eq!(address(text), None, "{text:?}");
        }
        assert_eq!(address(&format!("{}@acme.com", "a".repeat(65))), None);
    }

    #[test]
    fn sites_have_one_host() {
        for (text, host, has_path) in [
            ("https://www.acme.com/about", "www.acme.com", true),
            ("HTTP://Acme.com", "acme.com", false),
            ("//acme.com/", "acme.com", false),
            ("acme.com:8080/x?y", "acme.com", true),
            ("acme.com?utm=1", "acme.com", true),
            ("<https://acme.com>", "acme.com", false),
            ("\"acme.com\",", "acme.com", false),
            ("acme.com.", "acme.com", false),
            ("@acme.com", "acme.com", false),
            ("*.acme.com", "acme.com", false),
            (".acme.com", "acme.com", false),
            ("https://müller.de/über", "xn--mller-kva.de", true),
        ] {
            let found = read_site(text).map(|(host, path)| (host.as_str().to_owned(), path));
            assert_eq!(found, Some((host.to_owned(), has_path)), "{text:?}");
        }
        for text in [
            "",
            "acme",
            "acme.example,acme2.example",
            "acme.com, acme2.com",
            "acme.com acme2.com",
            "https://ann@acme.com/",
            "https://ann:pw@acme.com",
            "https://acme.com@evil.com",
            "https:acme.com",
            "https:/acme.com",
            "https//acme.com",
            "ftp://acme.com",
            "javascript:alert(1)",
            "mailto:ann",
            "https://10.0.0.1/",
            "https://[::1]/",
            "acme.com:port",
            "acme.com:123456",
            "acme\\.com",
            "acme.com\\evil.com",
            "acme%2ecom",
            "Acme Inc.",
        ] {
            assert_eq!(read_site(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_is_settled(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "\\PC{0,20}@?\\PC{0,30}", shape in "[<(\"'„ ]{0,2}(mailto:)?[a-zA-Z.+'%İΣ]{1,8}@[a-zA-Zü.]{1,8}\\.(com|example)[>)\"'.,; ]{0,3}") {
            for text in [String::from_utf8_lossy(&bytes).into_owned(), text, shape] {
                if let Some(kept) = address(&text) {
                    prop_assert_eq!(address(&kept), Some(kept.clone()), "{}", text);
                }
                if let Some((host, _)) = read_site(&text) {
                    prop_assert_eq!(read_site(host.as_str()), Some((host.clone(), false)));
                }
            }
        }
    }
}
