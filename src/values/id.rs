//! The product's own ids: how they are written in files and by clients, and which name nobody.

use serde_json::Value;

use super::text::{Holds, is_blank, is_empty_word, number_text, trimmed, without_formula};

/// From here on a double has no room for every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Why a value is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Neither text nor number, or blank.
    NoText,
    /// What broken clients and templates send for nobody.
    Nobody,
    /// A spreadsheet or a program has rounded the digits away.
    Rounded,
}

impl Fault {
    /// What is wrong and how to fix it, as the end of a sentence that begins with the value.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoText => "is no id. Send a text or a whole number.",
            Self::Nobody => "is an id that means nobody. Send the product's own id.",
            Self::Rounded => {
                "is an id whose digits were rounded, by a spreadsheet or as a decimal number. Export it again as text."
            }
        }
    }
}

/// The id that a text is: without blanks around it, without a spreadsheet's `="…"` or leading
/// apostrophe, without the `.0` of a whole number that went through a decimal column.
#[must_use]
pub fn clean(text: &str) -> &str {
    let mut text = text;
    loop {
        let inner = unwrapped(text);
        if inner.len() == text.len() {
            return text;
        }
        text = inner;
    }
}

fn unwrapped(text: &str) -> &str {
    let text = without_formula(trimmed(text));
    let text = match text.strip_prefix('\'') {
        Some(rest) if !rest.contains('\'') && rest.contains(char::is_alphanumeric) => trimmed(rest),
        _ => text,
    };
    match text.strip_suffix(".0") {
        Some(whole) if is_whole(whole) => whole,
        _ => text,
    }
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an id.
///
/// # Errors
/// Why it is none.
pub fn id(value: &Value) -> Result<String, Fault> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let is_rounded =
                number.is_f64() && number.as_f64().is_none_or(|double| double.abs() >= EXACT);
            if is_rounded {
                return Err(Fault::Rounded);
            }
            number_text(number)
        }
        _ => return Err(Fault::NoText),
    };
    if is_rounded(&text) {
        return Err(Fault::Rounded);
    }
    let id = clean(&text);
    if id.is_empty() {
        return Err(Fault::NoText);
    }
    if is_nobody(id) {
        return Err(Fault::Nobody);
    }
    Ok(id.to_owned())
}

/// `1.23457E+11`, or more digits before a `.0` than a decimal number keeps.
#[must_use]
pub fn is_rounded(text: &str) -> bool {
    let text = without_formula(trimmed(text));
    let text = text.strip_prefix('\'').unwrap_or(text);
    if let Some(whole) = text.strip_suffix(".0") {
        return is_whole(whole) && whole.len() > 16;
    }
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let Some(power) = exponent.strip_prefix('+') else { return false };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    whole.len() == 1
        && is_digits(whole)
        && is_digits(fraction)
        && power.len() <= 3
        && is_digits(power)
}

/// Whether an id is what broken clients send for nobody: empty words, templates that were never filled,
/// ids rounded by a spreadsheet. Events under them are accepted and never stitch, or strangers would
/// become one person.
#[must_use]
pub fn is_nobody(text: &str) -> bool {
    let text = clean(text);
    if text.len() > 64 {
        // Only a template is that long and means nobody.
        return is_template(text);
    }
    !text.contains(char::is_alphanumeric)
        || matches!(text, "0" | "-1" | "00000000-0000-0000-0000-000000000000")
        || is_rounded(text)
        || is_template(text)
        || is_empty_word(text, Holds::Word) && !text.eq_ignore_ascii_case("na")
        || names_nobody(text)
}

/// Marks of templates and format strings that were not filled in.
fn is_template(text: &str) -> bool {
    let has = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.contains(close))
    };
    has("{{", "}}")
        || has("${", "}")
        || has("#{", "}")
        || has("%{", "}")
        || has("%(", ")s")
        || has("<%", "%>")
        || has("[[", "]]")
        || has("*|", "|*")
        || text.to_ascii_lowercase().starts_with("[object ")
        || text.starts_with("%!")
        || is_format(text)
}

/// `%s`, `%d`, `%@`, `%1$s`.
fn is_format(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('%') else { return false };
    let rest =
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | '.' | '-' | 'l'));
    matches!(rest, "" | "s" | "d" | "i" | "u" | "v" | "x" | "f" | "g" | "q" | "p" | "@" | "S")
}

/// Empty words, and the names of fields where their values should be.
fn names_nobody(text: &str) -> bool {
    const MARKS: &[char] = &[
        '"', '\'', '`', '<', '>', '(', ')', '[', ']', '{', '}', '$', '%', '_', ':', '@', '#', '*',
        '|',
    ];
    let inner = text.trim_matches(MARKS);
    let is_marked = inner.len() < text.len();
    let kept = inner.chars().filter(|c| !is_blank(*c) && !matches!(c, '_' | '-' | '.' | '/'));
    let word: String = kept.flat_map(char::to_lowercase).collect();
    let is_empty_word = matches!(
        word.as_str(),
        "null"
            | "undefined"
            | "nil"
            | "none"
            | "nan"
            | "void"
            | "notset"
            | "novalue"
            | "notavailable"
            | "notprovided"
            | "notapplicable"
            | "anonymous"
            | "anonymoususer"
            | "guest"
            | "guestuser"
            | "unknown"
            | "unknownuser"
            | "notauthenticated"
            | "unauthenticated"
            | "notloggedin"
            | "loggedout"
            | "true"
            | "false"
            | "infinity"
            | "objectobject"
            | "nobody"
    );
    let is_field = matches!(
        word.as_str(),
        "userid"
            | "id"
            | "uid"
            | "uuid"
            | "distinctid"
            | "anonymousid"
            | "workspaceid"
            | "groupid"
            | "accountid"
            | "organizationid"
            | "organisationid"
            | "orgid"
            | "tenantid"
            | "companyid"
            | "customerid"
            | "yourid"
            | "youruserid"
            | "yourworkspaceid"
            | "youranonymousid"
            | "currentuserid"
    );
    // Between marks, the name of a variable: `{user}`, `<user>`, `$user`.
    let is_variable = is_marked
        && matches!(
            word.as_str(),
            "blank"
                | "empty"
                | "missing"
                | "user"
                | "username"
                | "email"
                | "useremail"
                | "workspace"
                | "group"
                | "account"
                | "organization"
                | "company"
                | "tenant"
                | "customer"
                | "na"
                | "value"
        );
    // `N/A`, but not a workspace that is called na.
    let is_slashed = text.eq_ignore_ascii_case("n/a") || text.eq_ignore_ascii_case("n.a.");
    is_empty_word || is_field || is_variable || is_slashed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_the_same_however_it_is_wrapped() {
        for text in [
            "00123",
            " 00123",
            "00123\u{a0}",
            "\u{200b}00123\r\n",
            "=\"00123\"",
            "'00123",
            "=\" 00123 \"",
        ] {
            assert_eq!(id(&json!(text)).as_deref(), Ok("00123"), "{text:?}");
        }
        for (value, text) in [
            (json!(777_001), "777001"),
            (json!(777_001.0), "777001"),
            (json!("777001.0"), "777001"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!("123456789012345678901234"), "123456789012345678901234"),
            (json!("1.5"), "1.5"),
            (json!("v2.0"), "v2.0"),
            (json!("O'Neil"), "O'Neil"),
            (json!("'quoted'"), "'quoted'"),
            (json!("12e45678"), "12e45678"),
            (json!("5E10"), "5E10"),
        ] {
            assert_eq!(id(&value).as_deref(), Ok(text), "{value}");
        }
    }

    #[test]
    fn rounded_digits_are_refused() {
        for value in [
            json!("1.23457E+11"),
            json!("1,23457E+11"),
            json!("1E+12"),
            json!("1.2e+15"),
            json!(" 1.23457E+11 "),
            json!("'1.23457E+11"),
            json!(1.234_567_890_123_456_8e19),
            json!("12345678901234567.0"),
        ] {
            assert_eq!(id(&value), Err(Fault::Rounded), "{value}");
        }
    }

    #[test]
    fn nobody_is_known_by_any_case_marks_and_template() {
        for text in [
            "null",
            "NULL",
            "undefined",
            "anonymous",
            "0",
            "0.0",
            "\"\"",
            " ",
            "[object Object]",
            "{{userId}}",
            "{{ user.id }}",
            "user-{{id}}",
            "(not set)",
            "\u{200b}",
            "<no value>",
            "%s",
            "%d",
            "%1$s",
            "%@",
            "%!s(<nil>)",
            "%(user_id)s",
            "${id}",
            "${user.id}",
            "#{id}",
            "<%= user.id %>",
            "<nil>",
            "(null)",
            "[null]",
            "N/A",
            "n/a",
            "-",
            "--",
            "?",
            "NaN",
            "None",
            "{userId}",
            "<USER_ID>",
            "%USER_ID%",
            "__USER_ID__",
            "[[user_id]]",
            "*|USERID|*",
            "$user_id",
            ":user_id",
            "YOUR_USER_ID",
            "your-user-id",
            "-1",
            "true",
            "[object Promise]",
            "(undefined)",
            "user_id",
            "workspaceId",
            "\"null\"",
            "'null'",
            "\\N",
            "#N/A",
            "#REF!",
            "(blank)",
            "NaT",
            "<NA>",
            "n.a.",
            "Not logged in",
        ] {
            assert!(is_nobody(text), "{text:?}");
            assert!(id(&json!(text)).is_err(), "{text:?}");
        }
        for text in [
            "u1",
            "00",
            "10",
            "nullable",
            "anonymous-7",
            "na",
            "user",
            "guest-1",
            "100%",
            "a",
            "ä",
            "用户",
            "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
            "dana@acme.com",
            "auth0|123",
            "ns:42",
            "$1",
            "#7",
            "id-7",
            "none-such",
            "NA",
            "acme_inc",
            "-12",
        ] {
            assert!(!is_nobody(text), "{text:?}");
        }
    }
}
