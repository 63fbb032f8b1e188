//! What the bytes of a file are: their encoding, what stands between cells. Pure.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The encodings that are understood, by their names in the database and in forms.
pub const ENCODINGS: [(&str, &str); 4] = [
    ("utf-8", "UTF-8"),
    ("windows-1252", "Windows-1252 (Western European)"),
    ("utf-16le", "UTF-16, little-endian"),
    ("utf-16be", "UTF-16, big-endian"),
];

/// What may stand between cells.
pub const DELIMITERS: [(&str, &str); 4] =
    [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar")];

/// The byte of a delimiter.
#[must_use]
pub fn delimiter_byte(delimiter: &str) -> u8 {
    delimiter.bytes().next().unwrap_or(b',')
}

/// The decoder's name for an encoding.
#[must_use]
pub fn encoding_named(name: &str) -> &'static Encoding {
    match name {
        "utf-16le" => UTF_16LE,
        "utf-16be" => UTF_16BE,
        "windows-1252" => WINDOWS_1252,
        _ => UTF_8,
    }
}

/// Looks at a file while it arrives.
pub struct Look {
    decoder: Decoder,
    is_utf8: bool,
    start: Vec<u8>,
}

/// So many bytes of the beginning are kept to look at.
const START: usize = 64 * 1024;

impl Default for Look {
    fn default() -> Self {
        Self { decoder: UTF_8.new_decoder_without_bom_handling(), is_utf8: true, start: Vec::new() }
    }
}

impl Look {
    /// The next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        let room = START.saturating_sub(self.start.len());
        self.start.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.decode(bytes, false);
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) {
        let mut scratch = [0_u8; 4096];
        while self.is_utf8 {
            let (result, read, _, replaced) =
                self.decoder.decode_to_utf8(bytes, &mut scratch, last);
            self.is_utf8 = !replaced;
            bytes = bytes.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                break;
            }
        }
    }

    /// What the file is in: a byte order mark says it; zeros in every other byte are UTF-16; what is
    /// UTF-8 to its end is that; the rest is taken for Windows-1252.
    #[must_use]
    pub fn encoding(&mut self) -> &'static str {
        self.decode(&[], true);
        let zeros = |from: usize| {
            self.start.iter().skip(from).step_by(2).take(200).filter(|byte| **byte == 0).count()
        };
        match self.start.as_slice() {
            [0xff, 0xfe, ..] => "utf-16le",
            [0xfe, 0xff, ..] => "utf-16be",
            [0xef, 0xbb, 0xbf, ..] => "utf-8",
            start if start.len() >= 8 && zeros(1) > start.len().min(400) / 4 => "utf-16le",
            start if start.len() >= 8 && zeros(0) > start.len().min(400) / 4 => "utf-16be",
            _ if self.is_utf8 => "utf-8",
            _ => "windows-1252",
        }
    }
}

impl Look {
    /// The beginning as text.
    #[must_use]
    pub fn start(&self, encoding: &str) -> String {
        encoding_named(encoding).decode(&self.start).0.into_owned()
    }

    /// A file that is no text at all, and what to do about it.
    #[must_use]
    pub fn wrong_kind(&self) -> Option<&'static str> {
        match self.start.as_slice() {
            [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
                Some("This is a workbook, not a CSV file. Save the sheet as CSV and upload that.")
            }
            [0x1f, 0x8b, ..] => {
                Some("This file is zipped. Unpack it and upload the CSV file in it.")
            }
            _ => None,
        }
    }
}

/// What stands between the cells of this text: of the four, the one that gives the first rows the most
/// cells while they agree on their number.
#[must_use]
pub fn delimiter(text: &str) -> &'static str {
    let score = |delimiter: &str| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter_byte(delimiter))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let widths: Vec<usize> =
            reader.byte_records().take(10).filter_map(|row| Some(row.ok()?.len())).collect();
        let first = widths.first().copied().unwrap_or(0);
        let agreeing = widths.iter().filter(|width| **width == first).count();
        if first > 1 { (agreeing.saturating_mul(100) / widths.len().max(1), first) } else { (0, 0) }
    };
    let mut best = (",", score(","));
    for (delimiter, _) in DELIMITERS.iter().skip(1) {
        let found = score(delimiter);
        if found > best.1 {
            best = (delimiter, found);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(parts: &[&[u8]]) -> &'static str {
        let mut look = Look::default();
        assert_eq!(look.wrong_kind(), None);
        parts.iter().for_each(|part| look.see(part));
        look.encoding()
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(encoding(&[b"name,city\n"]), "utf-8");
        assert_eq!(encoding(&[b"\xef\xbb\xbfname"]), "utf-8");
        assert_eq!(encoding(&["Köl".as_bytes(), "n".as_bytes()]), "utf-8");
        assert_eq!(encoding(&[b"K\xc3", b"\xb6ln"]), "utf-8", "a letter in two parts");
        assert_eq!(encoding(&[b"K\xf6ln;a"]), "windows-1252");
        assert_eq!(encoding(&[b"cut\xc3"]), "windows-1252");
        assert_eq!(encoding(&[b"\xff\xfen\0a\0"]), "utf-16le");
        assert_eq!(encoding(&[b"\xfe\xff\0n\0a"]), "utf-16be");
        assert_eq!(encoding(&[b"n\0a\0m\0e\0,\0i\0d\0\n\0"]), "utf-16le");
        assert_eq!(encoding(&[]), "utf-8");
    }

    #[test]
    fn workbooks_are_no_text() {
        let mut look = Look::default();
        look.see(b"PK\x03\x04...");
        assert!(look.wrong_kind().is_some_and(|text| text.contains("Save the sheet as CSV")));
    }

    #[test]
    fn delimiters_are_told_apart() {
        assert_eq!(delimiter("a,b\n1,2\n"), ",");
        assert_eq!(delimiter("a;b\n1,5;2,5\n"), ";");
        assert_eq!(delimiter("a\tb\tc\n1\t2\t3"), "\t");
        assert_eq!(delimiter("a|b\n1|2"), "|");
        assert_eq!(delimiter("only\n1\n"), ",");
        assert_eq!(delimiter("\"a;b\",c\n\"x;y\",z\n"), ",");
    }
}
