//! What a job title says about seniority and department. Pure.
//!
//! A title is a phrase: `Director, Product Marketing` has a head (director) and what it is about (product
//! marketing); in `Executive Assistant to the CEO` and `Analyst, Office of the CTO` the rank belongs to somebody else.
//! So a title is cut into parts, each part into its head phrase and what follows a preposition. [`super::seniority`]
//! reads the heads, [`super::department`] the functions.

use super::{department as functions, seniority as ranks};

/// The seniority that a title names: `student`, `ic`, `manager`, `director`, `vp` or `c_level`;
/// `None` for no title at all. A title that names none of the others is an individual contributor's.
#[must_use]
pub fn seniority(title: &str) -> Option<&'static str> {
    let parts = parts(title);
    if parts.is_empty() {
        return None;
    }
    let found: Vec<_> = parts.iter().filter_map(|part| ranks::of(&part.head, &part.rest)).collect();
    let best = found.iter().max().copied().unwrap_or(ranks::Rank::Contributor);
    // Who studies and works beside it studies; who studies and leads leads.
    let studies = found.contains(&ranks::Rank::Student) && best <= ranks::Rank::Contributor;
    Some(if studies { ranks::Rank::Student } else { best }.as_str())
}

/// The department that a title names; `None` when it names none.
#[must_use]
pub fn department(title: &str) -> Option<&'static str> {
    parts(title).iter().find_map(|part| functions::of(&part.head, &part.rest))
}

/// One of several titles in a text, in lower-case words without accents.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    /// Before the first preposition: the rank and its modifiers.
    head: Vec<String>,
    /// Behind it: what it is about.
    rest: Vec<String>,
}

/// Between a title and what it is about.
const ABOUT: [&str; 24] = [
    "of", "for", "in", "en", "im", "de", "del", "della", "di", "da", "do", "dos", "das", "des",
    "du", "der", "fur", "para", "pour", "van", "voor", "d", "von", "a",
];
/// Between a title and where it is held.
const PLACE: [&str; 6] = ["at", "bei", "chez", "with", "from", "@"];
/// Between a title and the person it serves.
const SERVES: [&str; 4] = ["to", "reporting", "supporting", "c/o"];
/// Heads that serve whoever is named behind a preposition.
const SERVANTS: [&str; 22] = [
    "assistant",
    "assistante",
    "assistent",
    "assistentin",
    "assistenz",
    "asistente",
    "assistente",
    "secretary",
    "secretaire",
    "secretaria",
    "sekretar",
    "sekretarin",
    "sekretariat",
    "aide",
    "adviser",
    "advisor",
    "office",
    "buro",
    "bureau",
    "referent",
    "referentin",
    "associate",
];

fn parts(title: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part::default();
    let mut serves = false;
    let mut is_about = false;
    let mut is_place = false;
    for word in words(title) {
        let word = word.as_str();
        let is_filled = !part.head.is_empty();
        match word {
            // A new title, unless it is a second person that is served.
            "," | "&" => {
                if is_filled {
                    parts.push(std::mem::take(&mut part));
                }
                (is_about, is_place) = (false, false);
            }
            _ if serves || is_place => {}
            _ if SERVES.contains(&word) => serves = true,
            _ if PLACE.contains(&word) && is_filled => is_place = true,
            _ if ABOUT.contains(&word) && is_filled => {
                is_about = true;
                serves = part.head.last().is_some_and(|head| SERVANTS.contains(&head.as_str()));
            }
            _ if is_about => part.rest.push(word.to_owned()),
            _ => part.head.push(word.to_owned()),
        }
    }
    parts.push(part);
    parts.retain(|part| !part.head.is_empty());
    parts
}

/// The words of a title in lower case and without accents; `,` and `&` for what separates titles.
fn words(title: &str) -> Vec<String> {
    let mut text: String = title.to_lowercase().chars().map(plain).collect();
    text = text.replace('ß', "ss").replace('æ', "ae");
    for (from, to) in [
        ("(m/w/d)", " "),
        ("(w/m/d)", " "),
        ("(m/f/d)", " "),
        ("(f/m/d)", " "),
        ("(m/f/x)", " "),
        ("(h/f)", " "),
        ("(f/h)", " "),
        (" h/f", " "),
        ("*in", ""),
        (":in", ""),
        ("/in ", " "),
        ("(in)", ""),
        ("(a)", ""),
        ("/a ", " "),
        ("/-in", ""),
        ("r&d", "research"),
        ("p&l", " "),
        ("h&s", " "),
        ("c/o", " to "),
        ("'s ", " "),
        ("’s ", " "),
        ("s' ", " "),
        ("s’ ", " "),
        ("d'", "d "),
        ("d’", "d "),
        ("l'", ""),
        ("l’", ""),
        ("co-founder", "cofounder"),
        ("co founder", "cofounder"),
        ("co-owner", "coowner"),
        ("co-ceo", "ceo"),
        ("vice-pres", "vice pres"),
        ("front-end", "frontend"),
        ("back-end", "backend"),
        ("full-stack", "fullstack"),
        ("full stack", "fullstack"),
        ("e-commerce", "ecommerce"),
        ("pre-sales", "presales"),
        ("dev-ops", "devops"),
        ("rev ops", "revops"),
        ("c-level", " "),
        ("non-exec", "nonexec"),
        ("editor in chief", "editorial director"),
        ("editor-in-chief", "editorial director"),
        ("in residence", "guest"),
        ("-in-residence", " guest"),
        ("in training", "trainee"),
        ("geschaeftsfuehr", "geschaftsfuhr"),
        ("gruender", "grunder"),
        ("consejero delegado", "ceo"),
        ("consejera delegada", "ceo"),
        ("amministratore delegato", "ceo"),
        ("amministratrice delegata", "ceo"),
        ("daglig leder", "ceo"),
        ("owner/operator", "owner"),
        ("owner-operator", "owner"),
        ("@", " @ "),
    ] {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        match letter {
            // `C.E.O.`, `V.P.`: a dot behind a single letter joins; elsewhere it parts.
            '.' if word.chars().count() == 1 || is_dotted(&word) => word.push('.'),
            // A hyphen between blanks parts titles, within a word it parts words.
            '-' | '–' | '—' if before.is_whitespace() && next.is_whitespace() => {
                finish(&mut words, &mut word);
                words.push(",".to_owned());
            }
            ',' | ';' | '|' | '/' | '·' | '•' | '\n' | ':' | '、' | '・' => {
                finish(&mut words, &mut word);
                words.push(",".to_owned());
            }
            '&' | '+' => {
                finish(&mut words, &mut word);
                words.push("&".to_owned());
            }
            '@' => {
                finish(&mut words, &mut word);
                words.push("@".to_owned());
            }
            letter if letter.is_alphanumeric() => word.push(letter),
            _ => finish(&mut words, &mut word),
        }
        before = letter;
    }
    finish(&mut words, &mut word);
    spelled_out(&mut words);
    for word in &mut words {
        if matches!(word.as_str(), "and" | "und" | "et" | "y" | "e" | "og" | "och" | "plus") {
            "&".clone_into(word);
        }
    }
    words
}

/// `C E O` and `V P` as one word.
fn spelled_out(words: &mut Vec<String>) {
    for length in [3, 2] {
        let found = words.windows(length).position(|letters| {
            let joined = letters.concat();
            joined.chars().count() == length
                && (joined == "vp"
                    || length == 3 && joined.starts_with('c') && joined.ends_with('o'))
        });
        if let Some(at) = found {
            let rest = words.split_off(at.saturating_add(length));
            let joined: String = words.drain(at..).collect();
            words.push(joined);
            words.extend(rest);
        }
    }
}

fn is_dotted(word: &str) -> bool {
    word.ends_with(|letter: char| letter.is_alphanumeric())
        && word.contains('.')
        && word.split('.').all(|letter| letter.chars().count() <= 1)
}

/// Takes a finished word over: without dots, and without a possessive s that stands alone.
fn finish(words: &mut Vec<String>, word: &mut String) {
    let whole = std::mem::take(word).replace('.', "");
    if !whole.is_empty() && whole != "s" {
        words.push(whole);
    }
}

/// The letter without its accent.
fn plain(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ę' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ś' | 'š' => 's',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        '\u{a0}' | '\u{2009}' | '\u{202f}' | '\t' | '(' | ')' | '[' | ']' | '"' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Title, seniority and department, by tabs; a hyphen for none.
    const TITLES: &str = include_str!("data/titles.tsv");

    #[test]
    fn titles_as_people_write_them() {
        let mut wrong = Vec::new();
        for line in TITLES.lines() {
            let mut cells = line.split('\t');
            let title = cells.next().unwrap();
            let expected = (cells.next().unwrap(), cells.next().unwrap());
            let found = (seniority(title).unwrap_or("-"), department(title).unwrap_or("-"));
            if found != expected {
                wrong.push(format!("{title}: {found:?}, not {expected:?}"));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(TITLES.lines().count() > 400);
    }

    #[test]
    fn case_and_signs_around_a_title_do_not_matter() {
        for line in TITLES.lines().filter(|line| line.is_ascii()) {
            let title = line.split('\t').next().unwrap();
            for other in [title.to_uppercase(), format!("  {title} "), format!("\u{200b}{title}.")]
            {
                assert_eq!(seniority(&other), seniority(title), "{other}");
                assert_eq!(department(&other), department(title), "{other}");
            }
        }
    }

    #[test]
    fn what_names_no_title_has_no_seniority() {
        for title in ["", "  ", "-", "&", ",", "\u{200b}"] {
            assert_eq!((seniority(title), department(title)), (None, None), "{title:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,40}", words in prop::collection::vec("[a-z.'&,/-]{1,6}|of|to|chief|vice|president|the", 0..8)) {
            for title in [text, words.join(" ")] {
                let names = ["student", "ic", "manager", "director", "vp", "c_level"];
                prop_assert!(seniority(&title).is_none_or(|name| names.contains(&name)));
                let _ = department(&title);
            }
        }
    }
}
