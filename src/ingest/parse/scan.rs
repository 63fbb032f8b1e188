//! One pass over JSON: is it valid, does it keep the limits, where do the wanted values stand.
//!
//! Stricter than serde_json in depth and keys; more lenient in what can be cleaned afterwards
//! (`NaN`, `Infinity`, numbers beyond a double, U+0000, lone surrogates), which it marks as dirty.

use std::borrow::Cow;

use super::clean;
use crate::values::text::trimmed;

/// Levels of nesting; the event's own braces are the first.
pub const DEPTH_LIMIT: usize = 16;
/// Keys in any one object.
pub const KEY_LIMIT: usize = 255;

/// Why a value was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No JSON, at that byte of the text.
    Broken(usize),
    /// More than [`DEPTH_LIMIT`] levels.
    TooDeep,
    /// More than [`KEY_LIMIT`] keys in one object.
    TooManyKeys,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// A value where it stands in the text.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// With its quotes, brackets or braces.
    pub raw: &'a str,
    pub shape: Shape,
    /// Something within must be rewritten before it is stored.
    pub dirty: bool,
}

impl<'a> Value<'a> {
    /// The valid JSON of it.
    pub fn json(self) -> Cow<'a, str> {
        if self.dirty { Cow::Owned(clean::json(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// A string's content, or a number as JavaScript would print it; none for anything else.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.shape {
            Shape::Text => Some(unquote(self.raw, self.dirty)),
            Shape::Number => clean::number_text(self.raw),
            _ => None,
        }
    }

    /// Nothing at all: null or blank text. The SDKs mean the same by both.
    pub fn is_nothing(self) -> bool {
        match self.shape {
            Shape::Null => true,
            // Blanks may be escaped.
            Shape::Text => trimmed(&unquote(self.raw, self.dirty)).is_empty(),
            _ => false,
        }
    }
}

fn unquote(raw: &str, dirty: bool) -> Cow<'_, str> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let clean = if dirty { Cow::Owned(clean::json(raw)) } else { Cow::Borrowed(raw) };
    Cow::Owned(serde_json::from_str(&clean).unwrap_or_default())
}

/// A cursor over the text.
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
    dirty: bool,
}

impl<'a> Scan<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, dirty: false }
    }

    /// The byte at which the cursor stands.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Puts the cursor back (or forth).
    pub const fn go_to(&mut self, at: usize) {
        self.at = at;
        self.dirty = false;
    }

    /// The next byte that is no white space, not taken.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at = self.at.saturating_add(1),
                other => return other.copied(),
            }
        }
    }

    /// Takes the byte if it comes next after white space.
    pub fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    /// Reads one value whose own level is `depth`.
    pub fn value(&mut self, depth: usize) -> Result<Value<'a>, Flaw> {
        self.watched(depth, |scan, _, depth| scan.value(depth).map(drop))
    }

    /// Reads one value; if it is an object, `each` reads the value of each of its keys. It is called
    /// with the key and the level of the value, and must read exactly that value.
    pub fn watched<F>(&mut self, depth: usize, each: F) -> Result<Value<'a>, Flaw>
    where
        F: FnMut(&mut Self, Cow<'a, str>, usize) -> Result<(), Flaw>,
    {
        let first = self.peek();
        let start = self.at;
        let outside = std::mem::take(&mut self.dirty);
        let shape = match first {
            Some(b'"') => self.string().map(|()| Shape::Text)?,
            Some(b'{') => self.object(depth, each).map(|()| Shape::Object)?,
            Some(b'[') => self.array(depth).map(|()| Shape::Array)?,
            Some(b't') => self.literal("true", Shape::Bool)?,
            Some(b'f') => self.literal("false", Shape::Bool)?,
            Some(b'n') => self.literal("null", Shape::Null)?,
            Some(b'N') => self.not_a_number("NaN")?,
            Some(b'I') => self.not_a_number("Infinity")?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.broken()),
        };
        let dirty = self.dirty;
        self.dirty |= outside;
        let raw = self.text.get(start..self.at).unwrap_or_default();
        Ok(Value { raw, shape, dirty })
    }

    fn object<F>(&mut self, depth: usize, mut each: F) -> Result<(), Flaw>
    where
        F: FnMut(&mut Self, Cow<'a, str>, usize) -> Result<(), Flaw>,
    {
        if depth > DEPTH_LIMIT {
            return Err(Flaw::TooDeep);
        }
        self.at = self.at.saturating_add(1);
        if self.take(b'}') {
            return Ok(());
        }
        let mut keys = 0_usize;
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.broken());
            }
            keys = keys.saturating_add(1);
            if keys > KEY_LIMIT {
                return Err(Flaw::TooManyKeys);
            }
            let start = self.at;
            self.string()?;
            let key = unquote(self.text.get(start..self.at).unwrap_or_default(), self.dirty);
            if !self.take(b':') {
                return Err(self.broken());
            }
            each(self, key, depth.saturating_add(1))?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.broken());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Flaw> {
        if depth > DEPTH_LIMIT {
            return Err(Flaw::TooDeep);
        }
        self.at = self.at.saturating_add(1);
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth.saturating_add(1))?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.broken());
            }
        }
    }

    fn string(&mut self) -> Result<(), Flaw> {
        let bytes = self.text.as_bytes();
        let mut at = self.at.saturating_add(1);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            at = at.saturating_add(plain.ok_or(Flaw::Broken(bytes.len()))?);
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at.saturating_add(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    let (length, dirty) = escape(bytes, at).ok_or(Flaw::Broken(at))?;
                    self.dirty |= dirty;
                    at = at.saturating_add(length);
                }
                _ => return Err(Flaw::Broken(at)),
            }
        }
    }

    fn literal(&mut self, word: &str, shape: Shape) -> Result<Shape, Flaw> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.broken());
        }
        self.at = self.at.saturating_add(word.len());
        Ok(shape)
    }

    /// Python's `json.dumps` writes these literals; they are cleaned to null.
    fn not_a_number(&mut self, word: &str) -> Result<Shape, Flaw> {
        self.dirty = true;
        self.literal(word, Shape::Null)
    }

    fn number(&mut self) -> Result<Shape, Flaw> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'-') {
            self.at = self.at.saturating_add(1);
            if bytes.get(self.at) == Some(&b'I') {
                return self.not_a_number("Infinity");
            }
        }
        let leading_zero = bytes.get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.broken());
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at = self.at.saturating_add(1);
            if self.digits() == 0 {
                return Err(self.broken());
            }
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at = self.at.saturating_add(1);
            if matches!(bytes.get(self.at), Some(b'+' | b'-')) {
                self.at = self.at.saturating_add(1);
            }
            if self.digits() == 0 {
                return Err(self.broken());
            }
        }
        let raw = self.text.get(start..self.at).unwrap_or_default();
        self.dirty |= clean::odd_number(raw).is_some();
        Ok(Shape::Number)
    }

    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at = self.at.saturating_add(count);
        count
    }

    /// The flaw of what stands at the cursor.
    pub const fn broken(&self) -> Flaw {
        Flaw::Broken(self.at)
    }

    /// Where the element of an array that starts at the cursor ends (a comma, the closing bracket or
    /// the end of the text), by brackets and quotes alone: the element itself may be no JSON.
    pub fn element_end(&self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let (mut at, mut open) = (self.at, 0_usize);
        loop {
            match bytes.get(at) {
                Some(b']' | b',') | None if open == 0 => return Some(at),
                None => return None,
                Some(b'"') => at = string_end(bytes, at)?,
                Some(b'{' | b'[') => open = open.saturating_add(1),
                Some(b'}' | b']') => open = open.checked_sub(1)?,
                Some(_) => {}
            }
            at = at.saturating_add(1);
        }
    }
}

fn string_end(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote.saturating_add(1);
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
}

/// The escape at that backslash: how many bytes, and whether it means U+0000 or half a character.
pub fn escape(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    match bytes.get(at.saturating_add(1))? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some((2, false)),
        b'u' => match code_unit(bytes, at)? {
            0 | 0xDC00..=0xDFFF => Some((6, true)),
            0xD800..=0xDBFF => match code_unit(bytes, at.saturating_add(6)) {
                Some(0xDC00..=0xDFFF) => Some((12, false)),
                _ => Some((6, true)),
            },
            _ => Some((6, false)),
        },
        _ => None,
    }
}

/// The UTF-16 unit of the `\uXXXX` that starts there.
fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..at.saturating_add(6))? else { return None };
    digits.iter().try_fold(0, |unit: u32, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
