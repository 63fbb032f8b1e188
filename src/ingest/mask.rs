//! A dead letter's text without what would tell who it is about. Pure.
//!
//! For the sample on the list, which many people see; the letter's own page shows all of it.

use serde_json::Value;

/// Members whose text is about a person, by name without case and separators.
const PERSONAL: [&str; 22] = [
    "email",
    "mail",
    "phone",
    "mobile",
    "tel",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "displayname",
    "username",
    "address",
    "street",
    "postcode",
    "zip",
    "birthday",
    "dateofbirth",
    "ip",
    "password",
    "token",
    "secret",
    "avatar",
];
/// Personal among traits; elsewhere the name of a page or a feature.
const NAME: &str = "name";
/// Longer samples end here.
const LONGEST: usize = 4_000;

/// The text, laid out, with personal data masked: members that hold some by their name, and whatever
/// looks like an e-mail address, a telephone number or an IP address anywhere.
#[must_use]
pub fn masked(text: &str) -> String {
    let told = match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            mask(&mut value, false);
            // `{"batch":[…]}` is our own wrapping.
            let event = value.pointer("/batch/0").unwrap_or(&value);
            serde_json::to_string_pretty(event).unwrap_or_default()
        }
        Err(_) => plain(text),
    };
    match told.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", told.get(..end).unwrap_or_default()),
        None => told,
    }
}

fn mask(value: &mut Value, in_traits: bool) {
    match value {
        Value::String(text) => *text = plain(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, in_traits)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let folded: String = name
                    .chars()
                    .filter(|letter| letter.is_alphanumeric())
                    .flat_map(char::to_lowercase)
                    .collect();
                let personal = PERSONAL.contains(&folded.as_str()) || (in_traits && folded == NAME);
                match member {
                    Value::String(text) if personal => *text = hidden(text),
                    Value::Number(_) if personal => *member = Value::from("•••"),
                    _ => mask(member, in_traits || folded == "traits"),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `ada@acme.com` as `a•••@acme.com`, anything else as its first letter.
fn hidden(text: &str) -> String {
    match text.split_once('@') {
        Some((name, domain)) => format!("{}•••@{}", first(name), plain(domain)),
        None => format!("{}•••", first(text)),
    }
}

fn first(text: &str) -> String {
    text.chars()
        .next()
        .filter(|letter| !letter.is_ascii_digit())
        .map(String::from)
        .unwrap_or_default()
}

/// A text in which words that look like an address or a number of a person are masked.
fn plain(text: &str) -> String {
    let belongs = |letter: char| letter.is_alphanumeric() || "@.+-_%'*/=?^~:".contains(letter);
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(|letter| !belongs(letter)) {
        let word = part.trim_end_matches(|letter| !belongs(letter));
        let rest = part.get(word.len()..).unwrap_or_default();
        if word.contains('@') {
            out.push_str(&hidden(word));
        } else if is_number(word) || word.parse::<std::net::IpAddr>().is_ok() {
            out.push_str("•••");
        } else {
            out.push_str(word);
        }
        out.push_str(rest);
    }
    out
}

/// Seven digits and more, with a plus in front: a telephone number as it is written down.
fn is_number(word: &str) -> bool {
    word.strip_prefix('+').is_some_and(|rest| {
        rest.chars().filter(char::is_ascii_digit).count() >= 7
            && rest.chars().all(|letter| letter.is_ascii_digit() || "-./".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_it_is_about_is_masked_and_what_is_wrong_stays() {
        let text = r#"{"batch":[{"type":"identify","userId":"ada@acme.com","timestamp":"yesterday",
            "context":{"ip":"192.0.2.1"},"traits":{"name":"Ada","firstName":"Ada","phone":4915112345,"plan":"pro",
            "note":"call +49-151-1234567 or bob@x.org"}}]}"#;
        let told = masked(text);
        for gone in ["ada@", "Ada", "192.0.2.1", "4915112345", "1234567", "bob@"] {
            assert!(!told.contains(gone), "{gone} in {told}");
        }
        for kept in ["yesterday", "pro", "a•••@acme.com", "identify", "b•••@x.org"] {
            assert!(told.contains(kept), "no {kept} in {told}");
        }
        assert!(!told.contains("batch"));
        let page = masked(r#"{"batch":[{"type":"page","name":"Pricing"}]}"#);
        assert!(page.contains("Pricing"), "the name of a page is no person's");
    }

    #[test]
    fn what_is_no_json_is_masked_too_and_long_samples_end() {
        assert_eq!(masked("{\"email\": ada@acme.com, NaN"), "{\"email\": a•••@acme.com, NaN");
        assert_eq!(masked(&"x".repeat(9_000)).chars().count(), LONGEST + 1);
    }

    proptest! {
        #[test]
        fn no_address_survives_wherever_it_stands(
            name in "[a-z]{2,8}", domain in "[a-z]{2,8}\\.(com|org)", before in "[ \"{:,a-z0-9(]{0,20}",
            after in "[ \"},a-z0-9)]{0,20}",
        ) {
            let address = format!("{name}@{domain}");
            let text = format!("{before} {address}{after}");
            prop_assert!(!masked(&text).contains(&address));
            let json = serde_json::json!({ "batch": [{ "properties": { "p": text } }] }).to_string();
            prop_assert!(!masked(&json).contains(&address));
        }

        #[test]
        fn any_text_will_do(text in ".{0,200}") {
            let _ = masked(&text);
        }
    }
}
