//! What encoding the bytes of a file are in, and how its letters look in the others. Pure.

use chardetng::EncodingDetector;
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

/// The encodings that are understood, by their names in the database and in forms.
pub const ENCODINGS: [(&str, &str); 16] = [
    ("utf-8", "UTF-8"),
    ("windows-1252", "Windows-1252 (Western European)"),
    ("windows-1250", "Windows-1250 (Central European)"),
    ("iso-8859-2", "ISO 8859-2 (Central European)"),
    ("windows-1251", "Windows-1251 (Cyrillic)"),
    ("koi8-u", "KOI8-U (Cyrillic)"),
    ("windows-1253", "Windows-1253 (Greek)"),
    ("windows-1254", "Windows-1254 (Turkish)"),
    ("macintosh", "Mac Roman (Excel for Mac)"),
    ("shift_jis", "Shift_JIS (Japanese)"),
    ("euc-jp", "EUC-JP (Japanese)"),
    ("gb18030", "GB 18030 (Chinese, simplified)"),
    ("big5", "Big5 (Chinese, traditional)"),
    ("euc-kr", "EUC-KR (Korean)"),
    ("utf-16le", "UTF-16, little-endian"),
    ("utf-16be", "UTF-16, big-endian"),
];
/// So many bytes of the beginning are kept to look at.
const START: usize = 64 * 1024;
/// Cells that are kept to tell encodings apart, and bytes of one.
const CELLS: (usize, usize) = (200, 80);
/// Cells that are shown in every encoding, and encodings that are shown.
const SHOWN: (usize, usize) = (5, 6);

/// The decoder for an encoding's name.
#[must_use]
pub fn encoding_named(name: &str) -> &'static Encoding {
    Encoding::for_label(name.as_bytes()).unwrap_or(UTF_8)
}

/// Looks at a file while it arrives.
pub struct Look {
    decoder: Decoder,
    detector: EncodingDetector,
    is_utf8: bool,
    start: Vec<u8>,
    cell: Vec<u8>,
    is_odd: bool,
    cells: Vec<Vec<u8>>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            decoder: UTF_8.new_decoder_without_bom_handling(),
            detector: EncodingDetector::new(),
            is_utf8: true,
            start: Vec::new(),
            cell: Vec::new(),
            is_odd: false,
            cells: Vec::new(),
        }
    }
}

impl Look {
    /// The next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        let room = START.saturating_sub(self.start.len());
        self.start.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.decode(bytes, false);
        self.detector.feed(bytes, false);
        self.gather(bytes);
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

    /// Keeps the first cells that are not plain ASCII.
    fn gather(&mut self, bytes: &[u8]) {
        if self.cells.len() >= CELLS.0 {
            return;
        }
        for byte in bytes {
            if matches!(byte, b',' | b';' | b'\t' | b'\r' | b'\n') {
                self.end_cell();
            } else {
                self.is_odd |= *byte >= 0x80;
                if self.cell.len() < CELLS.1 {
                    self.cell.push(*byte);
                }
            }
        }
    }

    fn end_cell(&mut self) {
        let is_odd = std::mem::take(&mut self.is_odd) && self.cell.iter().any(|byte| *byte >= 0x80);
        let cell = std::mem::take(&mut self.cell);
        if is_odd && self.cells.len() < CELLS.0 && !self.cells.contains(&cell) {
            self.cells.push(cell);
        }
    }

    /// What the file is in: a byte order mark says it; zeros in every other byte are UTF-16; what is
    /// UTF-8 to its end is that; the rest is told by its letters.
    #[must_use]
    pub fn encoding(&mut self) -> &'static str {
        self.decode(&[], true);
        self.end_cell();
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
            _ => self.by_letters(),
        }
    }

    fn by_letters(&mut self) -> &'static str {
        self.detector.feed(&[], true);
        let guessed = self.detector.guess(None, false);
        let named =
            |wanted: &str| ENCODINGS.iter().find(|(name, _)| *name == wanted).map(|one| one.0);
        let guess = named(&guessed.name().to_lowercase()).unwrap_or(match guessed.name() {
            "GBK" => "gb18030",
            "KOI8-R" => "koi8-u",
            "ISO-8859-5" | "IBM866" => "windows-1251",
            "ISO-8859-7" => "windows-1253",
            _ => "windows-1252",
        });
        // The detector knows no Mac Roman, which it takes for one of the Latin encodings.
        let is_latin =
            matches!(guess, "windows-1252" | "windows-1250" | "windows-1254" | "iso-8859-2");
        let fits = |name: &str| -> i32 { self.cells.iter().map(|cell| fit(cell, name)).sum() };
        if is_latin && fits("macintosh") > fits(guess) { "macintosh" } else { guess }
    }

    /// Some cells that are not plain ASCII, each on a line.
    #[must_use]
    pub fn sample(&self) -> Vec<u8> {
        self.cells.iter().take(SHOWN.0).cloned().collect::<Vec<_>>().join(&b'\n')
    }

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

/// How much a cell looks like a Latin text in this encoding: the letters of Western languages most,
/// signs between letters and capitals behind small letters least.
fn fit(cell: &[u8], encoding: &str) -> i32 {
    let text = encoding_named(encoding).decode_without_bom_handling(cell).0;
    let letters: Vec<char> = text.chars().collect();
    let at = |place: Option<usize>| place.and_then(|place| letters.get(place)).copied();
    let score = |(place, letter): (usize, &char)| {
        let (before, after) = (at(place.checked_sub(1)), at(place.checked_add(1)));
        let is_within = before.or(after).is_some_and(char::is_alphabetic)
            || after.is_some_and(char::is_alphabetic);
        let breaks_case = (letter.is_uppercase() && before.is_some_and(char::is_lowercase))
            || (letter.is_lowercase() && after.is_some_and(char::is_uppercase));
        match letter {
            c if c.is_ascii() => 0,
            '’' | '‘' | '“' | '”' | '„' | '–' | '—' | '€' | '…' | '\u{a0}' | '®' | '™' => {
                1
            }
            c if !c.is_alphabetic() || !is_within || breaks_case => -3,
            c if "äöüßÄÖÜéèêàçñáíóúåøæ".contains(*c) => 2,
            _ => 1,
        }
    };
    letters.iter().enumerate().map(score).sum()
}

/// An encoding and how a file's letters look in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// As in [`ENCODINGS`].
    pub encoding: &'static str,
    /// Its label.
    pub label: &'static str,
    /// The cells of the sample.
    pub cells: Vec<String>,
}

/// How a sample looks in the encodings in which all of it is text, each way to look once; that of the
/// chosen one is always there. Empty without a sample.
#[must_use]
pub fn previews(sample: &[u8], chosen: &str) -> Vec<Preview> {
    if sample.is_empty() || chosen.starts_with("utf-16") {
        return Vec::new();
    }
    let all = ENCODINGS.iter().filter(|(name, _)| !name.starts_with("utf-16"));
    let read = all.filter_map(|(encoding, label)| {
        let (text, broken) = encoding_named(encoding).decode_without_bom_handling(sample);
        let is_text = !broken && !text.chars().any(|c| c.is_control() && c != '\n');
        let cells = text.split('\n').map(|cell| cell.trim_matches('"').to_owned()).collect();
        (is_text || *encoding == chosen).then_some(Preview { encoding, label, cells })
    });
    let mut read: Vec<Preview> = read.collect();
    // What is chosen comes first, so that no other that looks the same takes its place.
    read.sort_by_key(|one| one.encoding != chosen);
    let mut shown: Vec<Preview> = Vec::new();
    for one in read {
        if shown.len() < SHOWN.1 && !shown.iter().any(|other| other.cells == one.cells) {
            shown.push(one);
        }
    }
    shown
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

    fn mac(text: &str) -> Vec<u8> {
        let all: Vec<u8> = (0..=255).collect();
        let table: Vec<char> =
            encoding_named("macintosh").decode_without_bom_handling(&all).0.chars().collect();
        text.chars()
            .map(|c| u8::try_from(table.iter().position(|known| *known == c).unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(encoding(&[b"name,city\n"]), "utf-8");
        assert_eq!(encoding(&[b"\xef\xbb\xbfname"]), "utf-8");
        assert_eq!(encoding(&["Köl".as_bytes(), "n".as_bytes()]), "utf-8");
        assert_eq!(encoding(&[b"K\xc3", b"\xb6ln"]), "utf-8", "a letter in two parts");
        assert_eq!(encoding(&[b"K\xf6ln;a"]), "windows-1252");
        assert_eq!(encoding(&[b"\xff\xfen\0a\0"]), "utf-16le");
        assert_eq!(encoding(&[b"\xfe\xff\0n\0a"]), "utf-16be");
        assert_eq!(encoding(&[b"n\0a\0m\0e\0,\0i\0d\0\n\0"]), "utf-16le");
        assert_eq!(encoding(&[]), "utf-8");
    }

    #[test]
    fn letters_tell_the_encodings_without_a_mark_apart() {
        let western =
            "id;name;city\nu1;Jürgen Groß;Köln\nu2;André Lefèvre;Besançon\nu3;Zoë Müller;Zürich\n";
        for (text, name) in [
            (western, "windows-1252"),
            (
                "id;name;city\nu1;Łukasz Wójcik;Kraków\nu2;Małgorzata Żak;Łódź\nu3;Jiří Dvořák;Plzeň\n",
                "windows-1250",
            ),
            (
                "id;name;city\nu1;Иван Петров;Москва\nu2;Ольга Смирнова;Санкт-Петербург\n",
                "windows-1251",
            ),
            (
                "id;name;city\nu1;山田太郎;東京都\nu2;佐藤花子;大阪府\nu3;カタカナ;京都市\n",
                "shift_jis",
            ),
        ] {
            let (bytes, _, broken) = encoding_named(name).encode(text);
            assert!(!broken);
            assert_eq!(encoding(&[&bytes]), name);
        }
        assert_eq!(encoding(&[&mac(western)]), "macintosh");
        assert_eq!(encoding(&[&mac("name;city\nMüller;Köln\n")]), "macintosh");
        assert_eq!(encoding(&[b"name\nO\x92Brien\n\x93Acme\x94 \x96 Paris\n"]), "windows-1252");
    }

    #[test]
    fn a_sample_is_shown_in_the_encodings_in_which_it_is_text() {
        let mut look = Look::default();
        look.see(b"id;name\nu1;J\xfcrgen\nu2;plain\nu3;\"J\xfcrgen\"\nu4;Gro\xdf");
        let chosen = look.encoding();
        let shown = previews(&look.sample(), chosen);
        assert_eq!((shown[0].encoding, shown[0].cells[0].as_str()), ("windows-1252", "Jürgen"));
        assert!(shown.iter().any(|one| one.encoding == "windows-1251" && one.cells[0] == "Jьrgen"));
        assert!(shown.iter().all(|one| one.encoding != "utf-8") && shown.len() <= 6);
        assert_eq!(previews(b"", "utf-8"), []);
        assert_eq!(previews("Köln".as_bytes(), "utf-8")[0].cells, ["Köln"]);
    }

    #[test]
    fn workbooks_are_no_text() {
        let mut look = Look::default();
        look.see(b"PK\x03\x04...");
        assert!(look.wrong_kind().is_some_and(|text| text.contains("Save the sheet as CSV")));
    }
}
