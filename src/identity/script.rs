//! Whether a label of an international domain can be taken for another one. Pure.
//!
//! The rules that browsers follow, in short: one script a label, Japanese and Korean mixtures excepted, and no
//! label made of nothing but letters that look like Latin ones.

/// Writing systems whose names are shown as they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Han,
    Kana,
    Hangul,
    /// One of those that look like no other, by the start of its block.
    Other(u32),
}

/// Cyrillic and Greek letters that look like Latin ones.
const LOOKALIKES: &str = "асԁеһіјӏорԛѕԝхуъьҽпгѵѡкмтвнαορυνκχιτε";

/// Whether the label may be shown in its own script; `suffix` is the last label of the name.
#[must_use]
pub fn is_clear(label: &[char], suffix: &[char]) -> bool {
    let mut found: Vec<Script> = Vec::new();
    for letter in label {
        match of(*letter) {
            Ok(Some(script)) if !found.contains(&script) => found.push(script),
            Ok(_) => {}
            Err(()) => return false,
        }
    }
    let mixes = |most: &[Script]| found.iter().all(|script| most.contains(script));
    let is_one = found.len() == 1
        || mixes(&[Script::Latin, Script::Han, Script::Kana])
        || mixes(&[Script::Latin, Script::Han, Script::Hangul]);
    let is_own_suffix = suffix.iter().any(|letter| !letter.is_ascii());
    let is_lookalike = || {
        mixes(&[Script::Cyrillic, Script::Greek])
            && label.iter().all(|letter| letter.is_ascii() || LOOKALIKES.contains(*letter))
    };
    is_one && (is_own_suffix || !is_lookalike())
}

/// The script of a letter; `Ok(None)` for digits and hyphens, an error for signs that are shown nowhere.
fn of(letter: char) -> Result<Option<Script>, ()> {
    let point = u32::from(letter);
    match point {
        0x2d | 0x30..=0x39 => Ok(None),
        0x61..=0x7a | 0xdf..=0xf6 | 0xf8..=0xff | 0x100..=0x17f | 0x1e00..=0x1eff => {
            Ok(Some(Script::Latin))
        }
        0x370..=0x3ff | 0x1f00..=0x1fff => Ok(Some(Script::Greek)),
        0x400..=0x52f => Ok(Some(Script::Cyrillic)),
        0x3005..=0x3007 | 0x3400..=0x4dbf | 0x4e00..=0x9fff => Ok(Some(Script::Han)),
        0x3041..=0x309f | 0x30a1..=0x30ff => Ok(Some(Script::Kana)),
        0xac00..=0xd7a3 => Ok(Some(Script::Hangul)),
        // Armenian, Hebrew, Arabic, the scripts of India, Thai, Lao, Tibetan, Myanmar, Georgian, Ethiopic, Khmer.
        0x561..=0x587 => Ok(Some(Script::Other(0x530))),
        0x5d0..=0x5f2 => Ok(Some(Script::Other(0x590))),
        0x620..=0x6ff | 0x750..=0x77f => Ok(Some(Script::Other(0x600))),
        0x900..=0xdff => Ok(Some(Script::Other(point & !0x7f))),
        0xe00..=0xeff => Ok(Some(Script::Other(point & !0x7f))),
        0xf00..=0xfff => Ok(Some(Script::Other(0xf00))),
        0x1000..=0x109f => Ok(Some(Script::Other(0x1000))),
        0x10d0..=0x10ff => Ok(Some(Script::Other(0x10a0))),
        0x1200..=0x137f => Ok(Some(Script::Other(0x1200))),
        0x1780..=0x17ff => Ok(Some(Script::Other(0x1780))),
        _ => Err(()),
    }
}
