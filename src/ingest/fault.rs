//! Where in a dead letter's text the fault lies. Pure, and total: the text may be anything.

/// A piece of the text, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: &'a str,
    /// Whether it is what was wrong.
    pub wrong: bool,
}

/// The text in pieces; together they are the text. Without a piece that is wrong the fault is something
/// that is missing, or lies nowhere in particular.
#[must_use]
pub fn pieces<'a>(code: &str, text: &'a str) -> Vec<Piece<'a>> {
    let mut spans = spans(code, text);
    spans.sort_unstable();
    let (mut pieces, mut at) = (Vec::new(), 0);
    for (start, end) in spans {
        let start = start.max(at);
        if let (Some(before), Some(wrong)) = (text.get(at..start), text.get(start..end)) {
            pieces.push(Piece { text: before, wrong: false });
            pieces.push(Piece { text: wrong, wrong: true });
            at = end;
        }
    }
    pieces.push(Piece { text: text.get(at..).unwrap_or_default(), wrong: false });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

/// From where to where, in bytes.
type Span = (usize, usize);

/// `{"batch":[{…}]}`: the members of the event itself are the third level.
const EVENT: usize = 3;
/// Levels of an event that are too many, counted from the text's own beginning.
const TOO_DEEP: usize = 16 + EVENT;

fn spans(code: &str, text: &str) -> Vec<Span> {
    let named = |names: &[&str]| {
        let all = members(text);
        let of_event = |member: &&Member<'_>| member.level <= EVENT && names.contains(&member.name);
        all.iter().filter(of_event).map(|member| member.span).collect()
    };
    match code {
        "bad_timestamp" => named(&["timestamp", "originalTimestamp"]),
        "invalid_type" => named(&["type"]),
        "missing_event" => named(&["event"]),
        "missing_identity" | "blocked_identity" => {
            named(&["userId", "anonymousId", "groupId", "previousId"])
        }
        "event_too_large" => {
            let all = members(text);
            let within = all.iter().filter(|member| member.level > EVENT);
            let largest = |member: &&Member<'_>| member.span.1 - member.span.0;
            let level = within.clone().map(|member| member.level).min();
            within
                .filter(|member| Some(member.level) == level)
                .max_by_key(largest)
                .map(|member| member.span)
                .into_iter()
                .collect()
        }
        "too_deep" => deepest(text).into_iter().collect(),
        "invalid_json" => broken(text).into_iter().collect(),
        _ => Vec::new(),
    }
}

struct Member<'a> {
    name: &'a str,
    /// Of the object it stands in; the outermost is 1, arrays count.
    level: usize,
    /// Name and value.
    span: Span,
}

/// The end of the string that begins at this quote, behind its other quote or at the text's end.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Every member of every object, in one pass; of what is no JSON, whatever looks like one.
fn members(text: &str) -> Vec<Member<'_>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Member<'_>> = Vec::new();
    // Of each open bracket, the member whose value it began.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut current: Option<usize> = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at);
                let behind = bytes.get(end..).unwrap_or_default();
                let spaces = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                if current.is_none() && behind.get(spaces) == Some(&b':') {
                    let name = text.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
                    current = Some(found.len());
                    found.push(Member { name, level: open.len(), span: (at, end) });
                    at = end + spaces + 1;
                } else {
                    extend(&mut found, current, end);
                    at = end;
                }
                continue;
            }
            b'{' | b'[' => open.push(current.take()),
            b'}' | b']' => {
                current = open.pop().flatten();
                extend(&mut found, current, at + 1);
                current = None;
            }
            b',' => current = None,
            byte if !byte.is_ascii_whitespace() => extend(&mut found, current, at + 1),
            _ => {}
        }
        at += 1;
    }
    found
}

fn extend(found: &mut [Member<'_>], member: Option<usize>, end: usize) {
    if let Some(member) = member.and_then(|index| found.get_mut(index)) {
        member.span.1 = end;
    }
}

/// From the first bracket beyond the limit to the one that closes it.
fn deepest(text: &str) -> Option<Span> {
    let bytes = text.as_bytes();
    let (mut at, mut level, mut start) = (0, 0_usize, None);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => {
                level += 1;
                if level == TOO_DEEP {
                    start = Some(at);
                }
            }
            b'}' | b']' => {
                if let Some(start) = start.filter(|_| level == TOO_DEEP) {
                    return Some((start, at + 1));
                }
                level = level.saturating_sub(1);
            }
            _ => {}
        }
        at += 1;
    }
    start.map(|start| (start, text.len()))
}

/// The character at which reading ends.
fn broken(text: &str) -> Option<Span> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let line_start = match error.line().checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let mut start = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let length = text.get(start..)?.chars().next().map_or(0, char::len_utf8);
    (length > 0).then_some((start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(code: &str, text: &str) -> Vec<String> {
        pieces(code, text).iter().filter(|p| p.wrong).map(|p| p.text.to_owned()).collect()
    }

    #[test]
    fn the_member_at_fault_is_marked() {
        let text = r#"{"batch":[{"type":"track","userId":"u","timestamp" : "yesterday","properties":{"timestamp":"x"}}],"type":"track"}"#;
        assert_eq!(wrong("bad_timestamp", text), [r#""timestamp" : "yesterday""#]);
        let text = r#"{"batch":[{"type":"dance","userId":null}]}"#;
        assert_eq!(wrong("invalid_type", text), [r#""type":"dance""#]);
        assert_eq!(wrong("missing_identity", text), [r#""userId":null"#]);
        assert_eq!(wrong("missing_event", text), Vec::<String>::new());
        assert_eq!(wrong("no such code", text), Vec::<String>::new());
    }

    #[test]
    fn the_largest_property_is_marked() {
        let text = r#"{"batch":[{"event":"E","properties":{"a":1,"report":{"x":"looooooooong"},"b":[1,2]}}]}"#;
        assert_eq!(wrong("event_too_large", text), [r#""report":{"x":"looooooooong"}"#]);
    }

    #[test]
    fn what_is_too_deep_and_what_is_broken_is_marked() {
        let deep = format!("{{\"batch\":[{}{}]}}", "[".repeat(20), "]".repeat(20));
        assert_eq!(wrong("too_deep", &deep), ["[[[[]]]]"]);
        assert_eq!(wrong("invalid_json", "{\"a\":\n nix}"), ["i"]);
        assert_eq!(wrong("invalid_json", "{\"a\":1"), ["1"]);
        assert_eq!(wrong("invalid_json", "{}"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(
            code in prop::sample::select(vec![
                "bad_timestamp", "invalid_type", "missing_identity", "event_too_large", "too_deep",
                "invalid_json", "missing_event", "internal",
            ]),
            text in r#"([{}\[\]:, "\\\n]|"type"|"userId"|"properties"|ü|🚀|a){0,120}"#,
        ) {
            let all: String = pieces(code, &text).iter().map(|piece| piece.text).collect();
            prop_assert_eq!(all, text);
        }
    }
}
