//! A body as it came off the wire, inflated under a hard cap.
//!
//! gzip and identity only (`spec/ingest.md`). The cap is held *while* inflating, so a bomb costs at
//! most [`BODY_LIMIT`] bytes of memory and the time to fill them.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::failure::BodyError;
pub use crate::web::body::BODY_LIMIT;

/// What a body is by its first bytes: JSON starts with none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Gzip,
    /// Packed in a way that is not ours.
    Foreign(&'static str),
    /// Text of two or four bytes a character.
    Wide,
}

impl Form {
    fn of(body: &[u8]) -> Self {
        match body {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Foreign("zstd"),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Self::Foreign("deflate"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Self::Wide,
            _ => Self::Plain,
        }
    }
}

/// Whether a Content-Encoding is one of ours, so that a foreign body need not be read at all.
///
/// # Errors
/// [`BodyError::Encoding`] for any but gzip and identity.
pub fn check(encoding: Option<&str>) -> Result<(), BodyError> {
    let named = encoding.unwrap_or_default().trim();
    let known = ["", "identity", "gzip", "x-gzip"];
    if known.iter().any(|name| named.eq_ignore_ascii_case(name)) {
        Ok(())
    } else {
        Err(BodyError::Encoding(named.chars().take(40).collect()))
    }
}

/// The body as plain bytes.
///
/// What the bytes are is decided by the first of them, never by the header: JSON never starts with
/// gzip's magic. So a gzip body is inflated although a proxy has lost the header (or an SDK calls it a form), and a plain body
/// passes although a proxy has inflated it and left the header behind. Several gzip members in a
/// row are one body; gzip within gzip is not opened.
///
/// # Errors
/// [`BodyError::Encoding`] for any encoding but gzip and identity, [`BodyError::TooLarge`] above
/// [`BODY_LIMIT`], [`BodyError::Gzip`] when the gzip is cut off or damaged, [`BodyError::Twice`] when
/// there is gzip in it, [`BodyError::Wide`] for UTF-16 and UTF-32.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8]) -> Result<Cow<'a, [u8]>, BodyError> {
    check(encoding)?;
    if body.len() > BODY_LIMIT {
        return Err(BodyError::TooLarge);
    }
    if Form::of(body) != Form::Gzip {
        return plain(body).map(|()| Cow::Borrowed(body));
    }
    let inflated = inflate(body)?;
    plain(&inflated).map(|()| Cow::Owned(inflated))
}

/// Whether the body is at most so many bytes once it is unpacked; costs no more than unpacking so many.
/// A damaged one is as small as it gets.
#[must_use]
pub fn is_at_most(body: &[u8], limit: usize) -> bool {
    if body.len() > limit || Form::of(body) != Form::Gzip {
        return body.len() <= limit;
    }
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut one_too_many = MultiGzDecoder::new(body).take(limit.saturating_add(1));
    std::io::copy(&mut one_too_many, &mut std::io::sink()).map_or(true, |bytes| bytes <= limit)
}

fn plain(body: &[u8]) -> Result<(), BodyError> {
    match Form::of(body) {
        Form::Plain => Ok(()),
        Form::Gzip => Err(BodyError::Twice),
        Form::Foreign(name) => Err(BodyError::Encoding(name.to_owned())),
        Form::Wide => Err(BodyError::Wide),
    }
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    // JSON of events shrinks about eightfold; the guess is never above the cap.
    let mut plain = Vec::with_capacity(body.len().saturating_mul(8).min(BODY_LIMIT));
    let one_too_many = u64::try_from(BODY_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(body)
        .take(one_too_many)
        .read_to_end(&mut plain)
        .map_err(|_| BodyError::Gzip)?;
    if plain.len() > BODY_LIMIT { Err(BodyError::TooLarge) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(plain).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn how_large_a_body_is_says_what_it_holds_and_not_how_it_is_packed() {
        let plain = vec![b' '; 1000];
        for body in [&plain, &gzip(&plain)] {
            assert!(is_at_most(body, 1000) && !is_at_most(body, 999));
        }
        let bomb = gzip(&vec![b' '; BODY_LIMIT]);
        assert!(bomb.len() < 10_000 && !is_at_most(&bomb, 32 * 1024));
        assert!(is_at_most(&bomb[..20], 32 * 1024), "nothing can be unpacked of it");
    }

    #[test]
    fn plain_and_gzip_give_the_same_bytes_whatever_the_header_says() {
        let plain = br#"{"batch":[]}"#;
        for encoding in [None, Some("gzip"), Some("GZIP"), Some("identity"), Some("")] {
            assert_eq!(&*decode(encoding, plain).unwrap(), plain);
            assert_eq!(&*decode(encoding, &gzip(plain)).unwrap(), plain);
        }
    }

    #[test]
    fn members_in_a_row_are_one_body() {
        let two = [gzip(b"{\"a\":"), gzip(b"1}")].concat();
        assert_eq!(&*decode(Some("gzip"), &two).unwrap(), b"{\"a\":1}");
    }

    #[test]
    fn a_bomb_is_cut_at_the_cap_and_the_cap_itself_passes() {
        let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(decode(Some("gzip"), &bomb), Err(BodyError::TooLarge)));
        assert_eq!(decode(None, &gzip(&vec![b' '; BODY_LIMIT])).unwrap().len(), BODY_LIMIT);
        assert!(matches!(decode(None, &vec![b' '; BODY_LIMIT + 1]), Err(BodyError::TooLarge)));
    }

    #[test]
    fn damaged_gzip_and_other_encodings_are_refused() {
        let whole = gzip(b"{\"batch\":[]}");
        for end in 2..whole.len() {
            assert!(matches!(decode(Some("gzip"), &whole[..end]), Err(BodyError::Gzip)), "{end}");
        }
        for other in ["br", "deflate", "zstd", "gzip, br"] {
            assert!(matches!(decode(Some(other), b"{}"), Err(BodyError::Encoding(_))));
        }
    }

    #[test]
    fn what_is_packed_otherwise_or_twice_or_no_utf8_is_named() {
        let foreign = |body: &[u8]| match decode(None, body) {
            Err(BodyError::Encoding(name)) => name,
            other => panic!("{other:?}"),
        };
        let zstd = b"\x28\xb5\x2f\xfd\x04\x00";
        assert_eq!((foreign(zstd), foreign(&gzip(zstd))), ("zstd".into(), "zstd".into()));
        assert_eq!(foreign(b"\x78\x9c\x03\x00"), "deflate");
        assert!(matches!(decode(None, &gzip(&gzip(b"{}"))), Err(BodyError::Twice)));
        for wide in ["\u{feff}{}", "{}"] {
            let (little, big): (Vec<u8>, Vec<u8>) = (
                wide.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                wide.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            );
            assert!(matches!(decode(None, &little), Err(BodyError::Wide)));
            assert!(matches!(decode(None, &gzip(&big)), Err(BodyError::Wide)));
        }
    }

    #[test]
    fn a_thousand_members_that_each_inflate_a_thousandfold_are_cut_at_the_cap() {
        let members = gzip(&[b' '; 100_000]).repeat(1_000);
        assert!(members.len() < BODY_LIMIT);
        assert!(matches!(decode(None, &members), Err(BodyError::TooLarge)));
        let empty = gzip(b"").repeat(10_000);
        assert_eq!(decode(None, &empty).unwrap().len(), 0);
    }
}
